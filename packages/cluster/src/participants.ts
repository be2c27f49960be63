/**
 * How a coordinator asks the shards of a transaction. The first time straight: the replica here if it leads the shard, else the node that is
 * known to lead, by one question. What is not answered so, and what is asked again, goes the long way of the router, which finds
 * whoever can answer. All of it may come twice (TX-1).
 */
import type { CommitRequest, ShardAnswer } from "./messages.ts";
import type { Router } from "./router.ts";
import type { ShardStatus } from "./shard/state-machine.ts";
import type { ShardReplica } from "./shard-replica.ts";
import type { Transport } from "./transport.ts";

export interface ParticipantsOptions {
  readonly router: Pick<Router, "askParticipant">;
  /** The replica of a shard here, if it leads. */
  readonly ledHere: (shard: number) => Pick<ShardReplica, "participate"> | undefined;
  /** The node that leads a shard, if that is known here. It may be out of date. */
  readonly leaderOf: (shard: number) => number | undefined;
  readonly transport: Transport;
}

export class Participants {
  readonly #options: ParticipantsOptions;

  constructor(options: ParticipantsOptions) {
    this.#options = options;
  }

  /**
   * @param isAgain whether it was asked before, and not answered
   * @param onStatus is told the answer, once; never if there is none
   */
  ask(
    shard: number,
    request: CommitRequest,
    isAgain: boolean,
    onStatus: (status: ShardStatus) => void,
  ): void {
    const route = (): void => {
      this.#options.router.askParticipant(shard, request).then(onStatus, () => {});
    };
    const answer = isAgain ? undefined : this.#askStraight(shard, request);
    if (answer === undefined) route();
    else answer.then((status) => (status === undefined ? route() : onStatus(status)), route);
  }

  /** @returns undefined if nobody is known to lead; resolves with undefined if that one has no status to tell */
  #askStraight(shard: number, request: CommitRequest): Promise<ShardStatus | undefined> | undefined {
    const { ledHere, leaderOf, transport } = this.#options;
    const here = ledHere(shard);
    if (here !== undefined) return here.participate(request);
    const leader = leaderOf(shard);
    return leader === undefined
      ? undefined
      : transport.ask(leader, shard, { kind: "commit", request }).then(statusIn);
  }
}

function statusIn(answer: ShardAnswer): ShardStatus | undefined {
  return answer.kind === "status" ? answer.status : undefined;
}
