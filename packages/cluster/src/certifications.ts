/**
 * Transactions on their way into a shard's log, to be certified there. One that is asked for again while it is under way is
 * proposed once. One that needs what another holds waits a little for that one's decision, which as a rule is under way, rather than
 * be refused and run again. Only what is younger waits for what is older, so that no two wait for each other; whoever has waited long enough is
 * proposed all the same, and certified as ever (TX-7).
 */
import { compareTransactionIds, TransactionMap } from "@khonsu/2pc";
import type { Runtime } from "@khonsu/core";
import { encodeCommand } from "./codec/command-codec.ts";
import type { Consensus } from "./consensus.ts";
import type { CommitRequest } from "./messages.ts";
import type { Applied, ShardStatus } from "./shard/state-machine.ts";
import type { ShardLog } from "./shard-log.ts";

/** What a shard certifies when it is applied. */
export type Certification = Extract<CommitRequest, { kind: "prepare" | "commit" }>;

export interface CertificationsOptions {
  readonly log: ShardLog;
  readonly consensus: Consensus;
  readonly runtime: Runtime;
  /** How long to wait for those that hold what is needed, in milliseconds. */
  readonly lockMs: number;
}

/**
 * After this time, in milliseconds, a request that comes again is proposed again: what became of the first may never be told. As long
 * as consensus itself pursues a proposal as a rule (`proposalTimeoutTicks` of Paxos), and not sooner: where no leader stands, copies
 * of large commits would fill the queues of all replicas, and drown the next leader.
 */
const JOINED_MS = 5000;

interface UnderWay {
  readonly since: number;
  readonly status: Promise<ShardStatus>;
}

export class Certifications {
  readonly #options: CertificationsOptions;
  readonly #underWay = new TransactionMap<UnderWay>();

  constructor(options: CertificationsOptions) {
    this.#options = options;
  }

  /** Resolves with what is known of the transaction once it is applied. Rejects when that cannot be told. */
  submit(request: Certification): Promise<ShardStatus> {
    const { id } = request;
    const now = this.#options.runtime.now();
    const known = this.#underWay.get(id);
    if (known !== undefined && now - known.since < JOINED_MS) return known.status;
    const entry = { since: now, status: this.#certify(request) };
    this.#underWay.set(id, entry);
    const end = () => {
      if (this.#underWay.get(id) === entry) this.#underWay.delete(id);
    };
    entry.status.then(end, end);
    return entry.status;
  }

  async #certify(request: Certification): Promise<ShardStatus> {
    const { log, consensus, runtime, lockMs } = this.#options;
    if (this.#isToWait(request)) await log.until(() => !this.#isToWait(request), runtime, lockMs);
    const applied = (await consensus.propose(encodeCommand(request))) as Applied | undefined;
    // A replica that learned of it in another way has it in its state all the same.
    return applied?.status ?? log.machine.statusOf(request.id);
  }

  /** What has but one participant holds nothing while it waits, so that nobody can wait for it. */
  #isToWait({ id, participants, request }: Certification): boolean {
    const { machine } = this.#options.log;
    if (machine.preparedCount === 0) return false;
    const obstacle = machine.locks.obstacleTo(request);
    if (obstacle === undefined || machine.statusOf(id).kind !== "unknown") return false;
    return participants.length === 1 || compareTransactionIds(obstacle.holder, id) < 0;
  }
}
