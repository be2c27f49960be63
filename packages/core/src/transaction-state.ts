/** The state of a transaction of an embedded store: its isolation state, its writes, and the store that it belongs to. */
import type { ConflictPolicy, Entry } from "./conflict-resolution.ts";
import type { ActiveTransaction } from "./isolation/active-transaction.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import type { TransactionManager } from "./isolation/transaction-manager.ts";
import { WriteSet } from "./isolation/write-set.ts";
import { type ScopedHost, ScopedState } from "./scoped-state.ts";
import type { StoredValue } from "./table/stored-value.ts";

export type Manager = TransactionManager<StoredValue, ConflictPolicy>;

/** What a transaction needs of the store that it belongs to. */
export interface TransactionHost extends ScopedHost {
  readonly manager: Manager;
  /** Prefix of transaction ids. */
  readonly name: string;
  /**
   * Throws a `CommitConflict` where the transaction is managed, so that it can be run again cheaply. Gives a promise only if
   * there is something to wait for.
   */
  commit(state: TransactionState): CommitTimestamp | Promise<CommitTimestamp>;
  rolledBack(state: TransactionState): void;
}

export class TransactionState extends ScopedState<TransactionHost> {
  readonly active: ActiveTransaction<StoredValue>;
  readonly policy: ConflictPolicy;
  readonly writes = new WriteSet<StoredValue, ConflictPolicy>();

  constructor(
    host: TransactionHost,
    active: ActiveTransaction<StoredValue>,
    policy: ConflictPolicy,
    isManaged: boolean,
  ) {
    super(host, isManaged);
    this.active = active;
    this.policy = policy;
  }

  get isReadOnly(): boolean {
    return this.active.isReadOnly;
  }

  entry(key: string): Entry | undefined {
    return this.writes.get(key);
  }

  protected letGo(): void {
    this.host.manager.rollback(this.active);
    this.host.rolledBack(this);
  }
}
