/**
 * The shards of a cluster and a coordinator, behind connections: what a session needs. The node that leads a shard is asked first, as
 * far as it is known, and a commit is coordinated where its home is led; who does not get an answer from one node asks another. All questions to shards are safe to ask again; a commit is sent again as it was, under its id, and so takes
 * effect at most once and is answered alike by every node (CL-1). Only where no node answers in time is it in doubt (CL-2).
 */
import type { TransactionId } from "@khonsu/2pc";
import {
  type Answer,
  ClusterError,
  type ClusterErrorCode,
  type CommitCoordinator,
  type CommitResult,
  type CoordinatorRequest,
  decodeCommitResult,
  decodeShardAnswer,
  encodeCoordinatorRequest,
  encodeShardRequest,
  type KeyPlacement,
  type ShardAccess,
  type ShardRequest,
  type ShardTransaction,
} from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import { messageOf } from "../errors.ts";
import type { Connections } from "./connections.ts";
import { isCoded } from "./failure.ts";
import type { Asked, Link } from "./link.ts";

export interface RemotePatience {
  /** For an answer from one node, in milliseconds, before another one is asked. Default 3,000. */
  readonly answerMs: number;
  /** For the outcome of a commit from one node. Default 5,000. */
  readonly commitMs: number;
  /** For an answer from any node. Default 10,000. */
  readonly totalMs: number;
}

export const DEFAULT_REMOTE_PATIENCE: RemotePatience = Object.freeze({
  answerMs: 3000,
  commitMs: 5000,
  totalMs: 10_000,
});

/** Another node, or a later try, may do better. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "KHONSU_PEER_UNREACHABLE",
  "KHONSU_PEER_TIMEOUT",
  "KHONSU_UNAVAILABLE",
  "KHONSU_OVERLOADED",
  "KHONSU_CLIENT_TOO_SLOW",
]);

/** A node that answers so has done nothing at all with the question. */
const UNTOUCHED: ReadonlySet<string> = new Set([
  "KHONSU_OVERLOADED",
  "KHONSU_REQUEST_MALFORMED",
  "KHONSU_UNAUTHENTICATED",
  "KHONSU_FRAME_TOO_LARGE",
]);

const PAUSE_MIN_MS = 5;
const PAUSE_MAX_MS = 200;

export class RemoteCluster implements ShardAccess, CommitCoordinator {
  readonly placement: KeyPlacement;
  readonly #connections: Connections;
  readonly #runtime: Runtime;
  readonly #patience: RemotePatience;

  constructor(placement: KeyPlacement, connections: Connections, runtime: Runtime, patience: RemotePatience) {
    this.placement = placement;
    this.#connections = connections;
    this.#runtime = runtime;
    this.#patience = patience;
  }

  async ask(shard: number, request: ShardRequest, patienceMs = 0): Promise<Answer> {
    const isWait = request.kind === "changes" || request.kind === "awaitChange";
    const asked: Asked = { shard, body: encodeShardRequest(request), patienceMs, isWait, isSent: false };
    const { answerMs, totalMs } = this.#patience;
    const limitMs = answerMs + patienceMs;
    const deadline = this.#runtime.now() + Math.max(totalMs, limitMs);
    for (let attempt = 0; ; attempt++) {
      const link = this.#connections.linkTo(shard) ?? (await this.#connections.link(deadline));
      try {
        return toAnswer(await link.ask(asked, limitMs));
      } catch (error) {
        if (!this.#goesElsewhere(error, link)) throw toClusterError(error);
        if (this.#runtime.now() >= deadline) throw unavailable(error);
      }
      await this.#pause(attempt);
    }
  }

  commit(id: TransactionId, requests: ReadonlyMap<number, ShardTransaction>): Promise<CommitResult> {
    return this.#coordinate({ kind: "commit", id, requests });
  }

  recover(id: TransactionId, participants: readonly number[]): Promise<CommitResult> {
    return this.#coordinate({ kind: "recover", id, participants: [...participants].sort((a, b) => a - b) });
  }

  async #coordinate(request: CoordinatorRequest): Promise<CommitResult> {
    const body = encodeCoordinatorRequest(request);
    const asked: Asked = { shard: undefined, body, patienceMs: 0, isWait: false, isSent: false };
    const deadline = this.#runtime.now() + this.#patience.totalMs;
    for (let attempt = 0; ; attempt++) {
      const wasSent = asked.isSent;
      let link: Link | undefined;
      try {
        link = this.#connections.linkTo(request.id.home) ?? (await this.#connections.link(deadline));
        const result = decodeCommitResult(await link.ask(asked, this.#patience.commitMs));
        if (result.kind !== "inDoubt" || this.#runtime.now() >= deadline) return result;
        this.#connections.leave(link);
      } catch (error) {
        if (isCoded(error) && UNTOUCHED.has(error.code)) asked.isSent = wasSent;
        const goesOn =
          link !== undefined && this.#goesElsewhere(error, link) && this.#runtime.now() < deadline;
        if (!goesOn && asked.isSent) return { kind: "inDoubt" };
        if (!goesOn) throw notApplied(request.id, error);
      }
      await this.#pause(attempt);
    }
  }

  /** Whether trying on may help; the link is left where it is at fault. */
  #goesElsewhere(error: unknown, link: Link): boolean {
    if (!isCoded(error) || !ELSEWHERE.has(error.code)) return false;
    if (error.code !== "KHONSU_OVERLOADED") this.#connections.leave(link);
    return true;
  }

  #pause(attempt: number): Promise<void> {
    const most = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** attempt);
    return new Promise((resolve) =>
      this.#runtime.schedule(most * (0.5 + 0.5 * this.#runtime.random()), resolve),
    );
  }
}

function toAnswer(bytes: Uint8Array): Answer {
  const answer = decodeShardAnswer(bytes);
  if (answer.kind !== "unavailable" && answer.kind !== "clock-skew") return answer;
  throw new ClusterError("KHONSU_UNAVAILABLE", `A node answered ${answer.kind}`, { retryable: true });
}

/** Sessions take what is no ClusterError for an outcome that nobody knows; here it is known that nothing was done. */
function toClusterError(error: unknown): unknown {
  if (error instanceof ClusterError || !isCoded(error)) return error;
  if (error.code === "KHONSU_TRANSPORT_CLOSED") {
    return new ClusterError("KHONSU_STORE_CLOSED", "The client was closed", { cause: error });
  }
  const { code, message, retryable = false } = error;
  return new ClusterError(code as ClusterErrorCode, message, { retryable, cause: error });
}

function unavailable(cause: unknown): ClusterError {
  const message = `The cluster did not answer in time: ${messageOf(cause)}`;
  return new ClusterError("KHONSU_UNAVAILABLE", message, { retryable: true, cause });
}

/** The class of errors after which nothing was applied, nor ever will be. */
function notApplied(id: TransactionId, cause: unknown): unknown {
  if (!isCoded(cause) || !ELSEWHERE.has(cause.code)) return toClusterError(cause);
  const message = `Cannot commit: no node took it on, nothing was applied: ${messageOf(cause)}`;
  return new ClusterError("KHONSU_UNAVAILABLE", message, { retryable: true, cause, transactionId: id });
}
