/** A node that runs, as whoever embeds it sees it: a store like `Khonsu`, over the whole cluster. */
import type {
  ClusterSession,
  ClusterTransaction,
  ClusterTransactionOptions,
  ClusterTransactOptions,
  ClusterWatch,
  ClusterWatchOptions,
} from "@khonsu/cluster";
import type { NodeStatus } from "./node-status.ts";

export interface RunningNode extends AsyncDisposable {
  readonly node: number;
  /** Where it listens, as "host:port". */
  readonly address: string;
  /**
   * Runs `body` in a transaction and commits it, again and again until there is no conflict; first waits until the node knows its
   * cluster. All transactions of this handle share a
   * session: each sees what the ones before it saw and did.
   *
   * @throws what the body throws; ClusterError, whose `code` and `retryable` say what to do; NodeError `KHONSU_NODE_STOPPED`.
   */
  transact<R>(body: (tx: ClusterTransaction) => R | Promise<R>, options?: ClusterTransactOptions): Promise<R>;
  /** As `ClusterSession.begin`, in the session of this handle. @throws NodeError `KHONSU_NODE_NOT_READY`, `KHONSU_NODE_STOPPED` */
  begin(options?: ClusterTransactionOptions): ClusterTransaction;
  /** What is committed by anybody in the cluster, as `ClusterSession.watch`. @throws as `begin` */
  watch(options?: ClusterWatchOptions): ClusterWatch;
  /** A session of its own. @throws as `begin` */
  session(): ClusterSession;
  status(): NodeStatus;
  /** Resolves once the node serves: it hears a leader of each shard that it has. Rejects if it stops before. */
  ready(): Promise<void>;
  /**
   * Hands leadership over, lets what is under way finish, and closes everything. Safe to call again.
   *
   * @param options.force skips the handing over: what a second signal asks for. Nothing acknowledged is lost either way.
   */
  stop(options?: { readonly force?: boolean }): Promise<void>;
}
