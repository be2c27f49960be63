/**
 * What the handles of one transaction share, wherever its data are: how far it is, its scopes (nested transactions,
 * savepoints, the branches of `orElse`) and its hooks. A store, embedded or distributed, adds what is read and written.
 * Invariant: only the handle of the innermost open scope may be used, and scopes end in the reverse order of their beginning.
 */
import { KhonsuError } from "./errors.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";

export type TransactionStatus = "open" | "committing" | "committed" | "rolled back";

/** Writes that can be undone to a mark. */
export interface UndoableWrites {
  /** Opens a savepoint: a mark to give to `rollbackTo`, and to be closed with `release`. */
  savepoint(): number;
  /** Undoes every write since `mark`. The savepoint stays open. */
  rollbackTo(mark: number): void;
  release(): void;
}

interface Savepoint {
  /** Undefined for the start of a scope. */
  readonly name: string | undefined;
  readonly mark: number;
  readonly commitHooks: number;
  readonly rollbackHooks: number;
}

/** A nested transaction, or a branch of `orElse`, that is running. */
export interface Scope {
  readonly id: number;
  readonly outer: number;
  readonly start: Savepoint;
}

/** Thrown by `retry` to unwind the body; nobody outside of a transaction ever sees it. */
export const RETRY = new KhonsuError(
  "KHONSU_RETRY_OUTSIDE_TRANSACT",
  "This transaction waits for a change to what it has read; let this error pass",
);

/** The store that a transaction belongs to. */
export interface ScopedHost {
  /** Why no transaction can go on: closed, or its storage failed. */
  readonly stopped: KhonsuError | undefined;
}

export abstract class ScopedState<H extends ScopedHost = ScopedHost> {
  readonly host: H;
  /** Whether `transact` runs it, which alone commits, and can run it again. */
  readonly isManaged: boolean;
  abstract readonly isReadOnly: boolean;
  abstract readonly writes: UndoableWrites;
  status: TransactionStatus = "open";
  /** Why it was rolled back, where that was not asked for. */
  closedBy: KhonsuError | undefined = undefined;
  commitTimestamp: CommitTimestamp | undefined = undefined;
  /** The scope whose handle may be used. */
  scope = 0;
  wantsRetry = false;
  commitHooks: ((timestamp: CommitTimestamp) => void)[] | undefined = undefined;
  rollbackHooks: (() => void)[] | undefined = undefined;
  /** Made by the first one: few transactions have any. */
  #savepointsMade: Savepoint[] | undefined = undefined;
  #lastScope = 0;

  constructor(host: H, isManaged: boolean) {
    this.host = host;
    this.isManaged = isManaged;
  }

  /** Lets go of what the transaction holds of its store. Called once, when it is rolled back while open. */
  protected abstract letGo(): void;

  /** @throws KhonsuError unless the transaction is open and the handle of `scope` is the one to use. */
  checkUsable(scope: number): void {
    if (this.status === "open" && this.scope === scope && this.host.stopped === undefined) return;
    if (this.closedBy !== undefined) throw this.closedBy;
    if (this.host.stopped !== undefined) throw this.host.stopped;
    if (this.status !== "open") {
      throw new KhonsuError("KHONSU_TRANSACTION_CLOSED", `Cannot use the transaction: it is ${this.status}`);
    }
    throw new KhonsuError(
      "KHONSU_TRANSACTION_BUSY",
      "Cannot use this handle: a nested transaction of it is running, or its own has ended",
    );
  }

  checkWritable(scope: number): void {
    this.checkUsable(scope);
    if (this.isReadOnly) {
      throw new KhonsuError("KHONSU_READ_ONLY", "Cannot write: the transaction was begun read-only");
    }
  }

  /** @throws KhonsuError unless the handle of `scope` may commit, or roll back, by hand. */
  checkByHand(scope: number, what: string): void {
    this.checkUsable(scope);
    if (scope !== 0) {
      throw new KhonsuError("KHONSU_TRANSACTION_BUSY", `Cannot ${what} from within a nested transaction`);
    }
    if (this.isManaged) {
      const why = "transact commits when its body returns, and rolls back when it throws";
      throw new KhonsuError("KHONSU_TRANSACTION_BUSY", `Cannot ${what} by hand: ${why}`);
    }
  }

  get #savepoints(): Savepoint[] {
    this.#savepointsMade ??= [];
    return this.#savepointsMade;
  }

  enter(): Scope {
    const scope: Scope = { id: ++this.#lastScope, outer: this.scope, start: this.#mark(undefined) };
    this.#savepoints.push(scope.start);
    this.scope = scope.id;
    return scope;
  }

  /** Ends a scope, keeping its writes. */
  leave(scope: Scope): void {
    if (this.status !== "open") return;
    this.#checkInnermost(scope);
    this.scope = scope.outer;
    this.#releaseFrom(this.#savepoints.lastIndexOf(scope.start));
  }

  /** Ends a scope, undoing its writes. */
  undo(scope: Scope): void {
    if (this.status !== "open") return;
    this.#checkInnermost(scope);
    this.scope = scope.outer;
    this.#rollbackTo(scope.start);
    this.#releaseFrom(this.#savepoints.lastIndexOf(scope.start));
  }

  savepoint(name: string): void {
    this.#savepoints.push(this.#mark(name));
  }

  rollbackToSavepoint(name: string): void {
    const index = this.#indexOf(name);
    const savepoint = this.#savepoints[index]!;
    this.#rollbackTo(savepoint);
    this.#releaseFrom(index + 1);
  }

  releaseSavepoint(name: string): void {
    this.#releaseFrom(this.#indexOf(name));
  }

  onCommit(hook: (timestamp: CommitTimestamp) => void): void {
    this.commitHooks ??= [];
    this.commitHooks.push(hook);
  }

  onRollback(hook: () => void): void {
    this.rollbackHooks ??= [];
    this.rollbackHooks.push(hook);
  }

  /** Ends the transaction without a change; does nothing where it has ended. */
  rollback(reason: KhonsuError | undefined): void {
    if (this.status !== "open") return;
    this.status = "rolled back";
    this.closedBy = reason;
    this.letGo();
    this.runRollbackHooks(0);
  }

  /** @throws KhonsuError `KHONSU_HOOK_FAILED` after all hooks have run. */
  runCommitHooks(timestamp: CommitTimestamp): void {
    runHooks(this.commitHooks ?? [], (hook) => hook(timestamp), `The transaction committed at ${timestamp}`);
  }

  /** Runs and forgets the hooks from `from` on. */
  runRollbackHooks(from: number): void {
    const hooks = this.rollbackHooks?.splice(from) ?? [];
    runHooks(hooks, (hook) => hook(), "The transaction was rolled back");
  }

  #mark(name: string | undefined): Savepoint {
    return {
      name,
      mark: this.writes.savepoint(),
      commitHooks: this.commitHooks?.length ?? 0,
      rollbackHooks: this.rollbackHooks?.length ?? 0,
    };
  }

  #rollbackTo(savepoint: Savepoint): void {
    this.writes.rollbackTo(savepoint.mark);
    if (this.commitHooks !== undefined) this.commitHooks.length = savepoint.commitHooks;
    this.runRollbackHooks(savepoint.rollbackHooks);
  }

  #releaseFrom(index: number): void {
    for (const _ of this.#savepoints.splice(index)) this.writes.release();
  }

  /** The newest savepoint of that name in the running scope. */
  #indexOf(name: string): number {
    for (let i = this.#savepoints.length - 1; i >= 0; i--) {
      const savepoint = this.#savepoints[i]!;
      if (savepoint.name === name) return i;
      if (savepoint.name === undefined) break;
    }
    throw new KhonsuError(
      "KHONSU_SAVEPOINT_UNKNOWN",
      `Cannot find the savepoint ${JSON.stringify(name)} in this transaction, or this nested one`,
    );
  }

  #checkInnermost(scope: Scope): void {
    if (this.scope === scope.id) return;
    const error = new KhonsuError(
      "KHONSU_TRANSACTION_BUSY",
      "Cannot end a nested transaction before those within it: await each before the next begins",
    );
    this.rollback(error);
    throw error;
  }
}

function runHooks<H>(hooks: readonly H[], run: (hook: H) => void, what: string): void {
  const failures: unknown[] = [];
  for (const hook of hooks) {
    try {
      run(hook);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return;
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures);
  throw new KhonsuError("KHONSU_HOOK_FAILED", `${what}, but a hook of it threw`, { cause });
}
