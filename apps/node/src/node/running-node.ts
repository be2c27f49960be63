/** A node that runs, as whoever embeds it sees it: a store like `Khonsu`, over the whole cluster. */
import type {
  ClusterCommitEvent,
  ClusterSession,
  ClusterTransaction,
  ClusterTransactOptions,
  ClusterWatchOptions,
} from "@khonsu/cluster";
import type { NodeStatus } from "./node-status.ts";

export interface RunningNode extends AsyncDisposable {
  readonly node: number;
  /** Where it listens, as "host:port". */
  readonly address: string;
  /**
   * Runs `body` in a transaction and commits it, again and again until there is no conflict. All transactions of this handle share a
   * session: each sees what the ones before it saw and did.
   *
   * @throws what the body throws; ClusterError, whose `code` and `retryable` say what to do.
   */
  transact<R>(body: (tx: ClusterTransaction) => R | Promise<R>, options?: ClusterTransactOptions): Promise<R>;
  /** What is committed from now on, or after `fromTimestamp`, by anybody in the cluster. */
  watch(options?: ClusterWatchOptions): AsyncGenerator<ClusterCommitEvent, void, undefined>;
  /** A session of its own. */
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
