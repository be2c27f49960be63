/** Runs a random history on the store and on the model side by side, and compares after every step. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { expect } from "vitest";
import { type ConflictResolution, isKhonsuError, Khonsu, type Transaction } from "../../src/index.ts";
import type { Action, Command, End, Policy, Setup, Simple } from "./action.ts";
import { type CommittedTransaction, findCycle } from "./dependency-graph.ts";
import { ModelStore, ModelTransaction, type Row, type Rows, resolverAnswer } from "./model.ts";

interface Client {
  readonly name: string;
  readonly tx: Transaction;
  readonly model: ModelTransaction;
  /** Ends the body: it commits, or rolls back. */
  readonly end: (how: "commit" | "rollback") => void;
  /** The code of the error, undefined after a commit. */
  readonly ended: Promise<string | undefined>;
}

export interface Totals {
  transactions: number;
  committed: number;
  serializationFailures: number;
  conflicts: number;
}

const ROLLED_BACK = new Error("rolled back");

export class HistoryRunner {
  readonly #db: Khonsu;
  readonly #model = new ModelStore();
  readonly #clients = new Map<number, Client>();
  readonly #committed: CommittedTransaction[] = [];
  readonly #totals: Totals;
  #values = 1000;
  #begun = 0;

  private constructor(db: Khonsu, totals: Totals) {
    this.#db = db;
    this.#totals = totals;
  }

  /** @throws what an expectation throws that does not hold. */
  static async run(commands: readonly Command[], totals: Totals): Promise<void> {
    const runner = new HistoryRunner(await Khonsu.open({ detectLeaks: false }), totals);
    for (const command of commands) await runner.#step(command);
    for (const index of [...runner.#clients.keys()]) await runner.#end(index, "commit");
    runner.#checkEnd();
  }

  async #step({ client: index, setup, action }: Command): Promise<void> {
    if (action.kind === "commit" || action.kind === "rollback") {
      if (this.#clients.has(index)) await this.#end(index, action.kind);
      return;
    }
    let client = this.#clients.get(index);
    if (client === undefined) {
      client = await this.#begin(setup);
      this.#clients.set(index, client);
    }
    this.#perform(client, action as Exclude<Action, End>);
    this.#checkVersions();
  }

  async #begin(setup: Setup): Promise<Client> {
    const model = new ModelTransaction(this.#model, setup);
    const begun = Promise.withResolvers<Transaction>();
    const end = Promise.withResolvers<void>();
    const running = this.#db.transact(
      (tx) => {
        begun.resolve(tx);
        return end.promise;
      },
      {
        isolation: setup.level,
        onConflict: resolution(setup.policy),
        readOnly: setup.readOnly,
        maxRetries: 0,
      },
    );
    const ended = running.then(
      () => undefined,
      (error: unknown) => (error === ROLLED_BACK ? "rolled back" : codeBehind(error)),
    );
    this.#totals.transactions++;
    return {
      name: `T${++this.#begun} (${setup.level}, ${setup.policy})`,
      tx: await begun.promise,
      model,
      end: (how) => (how === "commit" ? end.resolve() : end.reject(ROLLED_BACK)),
      ended,
    };
  }

  #perform(client: Client, action: Exclude<Action, End>): void {
    const { tx, model } = client;
    switch (action.kind) {
      case "savepoint":
        tx.savepoint(action.name);
        model.savepoint(action.name);
        return;
      case "rollbackTo":
      case "release": {
        const code = codeOf(() => tx[action.kind](action.name));
        expect(code).toBe(model[action.kind](action.name) ? undefined : "KHONSU_SAVEPOINT_UNKNOWN");
        return;
      }
      case "nested":
        this.#nested(client, action.body, action.throws);
        return;
      case "orElse":
        this.#orElse(client, action.first, action.second);
        return;
      default:
        this.#simple(client, tx, action);
    }
  }

  #nested(client: Client, body: readonly Simple[], throws: boolean): void {
    const { tx, model } = client;
    model.savepoint(undefined);
    const run = () =>
      tx.nested((inner) => {
        for (const each of body) this.#simple(client, inner, each);
        if (throws) throw ROLLED_BACK;
      });
    if (throws) {
      expect(run).toThrow(ROLLED_BACK);
      model.rollbackTo(undefined);
    } else {
      run();
    }
    model.release(undefined);
  }

  #orElse(client: Client, first: readonly Simple[], second: readonly Simple[]): void {
    const { tx, model } = client;
    model.savepoint(undefined);
    tx.orElse(
      (inner) => {
        for (const each of first) this.#simple(client, inner, each);
        inner.retry();
      },
      (inner) => {
        model.rollbackTo(undefined);
        for (const each of second) this.#simple(client, inner, each);
      },
    );
    model.release(undefined);
  }

  #simple({ model }: Client, tx: Transaction, action: Simple): void {
    if (action.kind === "read") {
      expect(rowsOf(tx.read(action.key))).toEqual(model.read(action.key));
    } else if (action.kind === "scan") {
      const { from, to, reverse, limit, stopAfter } = action;
      const wanted = Math.min(limit, stopAfter);
      expect(scanned(tx.scan({ from, to, reverse, limit }), stopAfter)).toEqual(
        model.scan(from, to, reverse, wanted),
      );
    } else if (model.setup.readOnly) {
      expect(codeOf(() => tx.delete(action.key))).toBe("KHONSU_READ_ONLY");
    } else {
      this.#write(tx, model, action);
    }
  }

  #write(tx: Transaction, model: ModelTransaction, action: Exclude<Simple, { kind: "read" | "scan" }>): void {
    const { key } = action;
    const value = ++this.#values;
    const rows = [{ id: 1, value }];
    switch (action.kind) {
      case "delete":
        tx.delete(key);
        model.put(key, undefined);
        return;
      case "write":
        tx.write(key, batchOf(rows));
        model.put(key, rows);
        return;
      case "update":
        tx.update(key, (seen) => {
          expect(rowsOf(seen)).toEqual(model.read(key));
          return batchOf(rows);
        });
        model.put(key, rows);
        return;
      case "append": {
        const added = [{ id: value, value }];
        tx.append(key, batchOf(added));
        model.merge(key, added, false);
        return;
      }
      case "upsert": {
        const changed = action.ids.map((id) => ({ id, value }));
        tx.upsert(key, batchOf(changed));
        model.merge(key, changed, true);
        return;
      }
      case "ensure":
        tx.ensure(key);
        model.ensure(key);
        return;
      case "writeIf":
        this.#compareAndSet(tx, model, key, action.holds, rows);
    }
  }

  #compareAndSet(
    tx: Transaction,
    model: ModelTransaction,
    key: string,
    holds: boolean,
    rows: readonly Row[],
  ): void {
    const version = tx.version(key);
    expect(version).toBe(model.version(key));
    const isAbsent = version === undefined;
    const options = isAbsent === holds ? { ifAbsent: true } : { ifVersion: version ?? (1 as never) };
    const code = codeOf(() => tx.write(key, batchOf(rows), options));
    model.version(key);
    expect(code).toBe(holds ? undefined : "KHONSU_VERSION_MISMATCH");
    if (holds) model.put(key, rows, version ?? "absent");
  }

  async #end(index: number, how: "commit" | "rollback"): Promise<void> {
    const client = this.#clients.get(index)!;
    this.#clients.delete(index);
    const { model, tx, name } = client;
    const prediction = model.predictCommit();
    client.end(how);
    const code = await client.ended;
    if (code === undefined) {
      expect([...prediction.refusals], `${name} should have been refused`).toEqual([]);
      model.commit(prediction);
      expect([...tx.ignoredKeys].sort()).toEqual([...prediction.ignored].sort());
      const timestamp = prediction.installs.size > 0 ? this.#model.last : undefined;
      if (timestamp !== undefined) expect(tx.commitTimestamp).toBe(timestamp);
      if (model.setup.level === "serializable") {
        this.#committed.push({ name, timestamp, reads: model.reads });
      }
      this.#totals.committed++;
    } else if (how === "rollback") {
      expect(code).toBe("rolled back");
    } else if (code === "KHONSU_SERIALIZATION_FAILURE") {
      expect(model.setup.level).toBe("serializable");
      this.#totals.serializationFailures++;
    } else {
      expect([...prediction.refusals], `${name} was refused`).toContain(code);
      this.#totals.conflicts++;
    }
    this.#checkContents();
    this.#checkVersions();
  }

  #checkContents(): void {
    const reader = this.#db.begin({ isolation: "repeatable-read", readOnly: true });
    const contents = Object.fromEntries(scanned(reader.scan(), Number.POSITIVE_INFINITY));
    reader.rollback();
    expect(contents).toEqual(Object.fromEntries(this.#model.commits[this.#model.last]!));
  }

  /** Nothing is kept but what an open snapshot, or a new one, can see. */
  #checkVersions(): void {
    const snapshots = new Set([...this.#clients.values()].map(({ model }) => model.snapshot));
    let visible = 0;
    for (const [key, versions] of this.#model.versions) {
      const seen = new Set([...snapshots].map((snapshot) => this.#model.versionAt(key, snapshot)));
      seen.delete(versions[versions.length - 1]!);
      visible += seen.size;
    }
    const { versions, keys } = this.#db.stats();
    expect(versions - keys).toBeLessThanOrEqual(visible);
  }

  #checkEnd(): void {
    const live = this.#model.commits[this.#model.last]!.size;
    expect(this.#db.stats()).toMatchObject({
      keys: live,
      versions: live,
      openTransactions: 0,
      trackedTransactions: 0,
      trackedRanges: 0,
      parkedTransactions: 0,
      oldestSnapshotAge: 0,
      lastCommit: this.#model.last,
    });
    expect(findCycle(this.#committed, this.#model)).toBeUndefined();
  }
}

function resolution(policy: Policy): ConflictResolution {
  if (policy !== "function") return policy;
  return ({ committed, mine, operation }) =>
    resolverAnswer(operation === "delete" ? "delete" : "put", committed) ?? mine!;
}

function batchOf(rows: readonly Row[]): RecordBatch {
  const table = tableFromArrays({
    id: Int32Array.from(rows, ({ id }) => id),
    value: Int32Array.from(rows, ({ value }) => value),
  });
  return table.batches[0]!;
}

function rowsOf(batch: RecordBatch | undefined): Rows {
  if (batch === undefined) return undefined;
  const [ids, values] = ["id", "value"].map((name) => batch.getChild(name)!.toArray() as Int32Array);
  return Array.from(ids!, (id, row) => ({ id, value: values![row]! }));
}

function scanned(
  entries: Iterable<readonly [string, RecordBatch]>,
  stopAfter: number,
): [string, readonly Row[]][] {
  const found: [string, readonly Row[]][] = [];
  for (const [key, batch] of entries) {
    found.push([key, rowsOf(batch)!]);
    if (found.length === stopAfter) break;
  }
  return found;
}

function codeOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (isKhonsuError(error)) return error.code;
    throw error;
  }
}

/** Of an error of `transact` that was not to try again, the conflict behind it. */
function codeBehind(error: unknown): string {
  if (isKhonsuError(error, "KHONSU_RETRIES_EXHAUSTED")) return codeBehind(error.cause);
  return isKhonsuError(error) ? error.code : String(error);
}
