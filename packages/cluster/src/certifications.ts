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
  /** Undefined only until it is proposed, in the same turn. */
  status: Promise<ShardStatus> | undefined;
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
    if (known?.status !== undefined && now - known.since < JOINED_MS) return known.status;
    const proposed = this.#propose(request);
    const entry: UnderWay = { since: now, status: undefined };
    this.#underWay.set(id, entry);
    const end = () => {
      if (this.#underWay.get(id) === entry) this.#underWay.delete(id);
    };
    entry.status = proposed.then(
      (applied) => {
        end();
        // A replica that learned of it in another way has it in its state all the same.
        return (applied as Applied | undefined)?.status ?? this.#options.log.machine.statusOf(id);
      },
      (error) => {
        end();
        throw error;
      },
    );
    return entry.status;
  }

  #propose(request: Certification): Promise<unknown> {
    const { log, consensus, runtime, lockMs } = this.#options;
    if (!this.#isToWait(request)) return consensus.propose(encodeCommand(request));
    const isFree = () => !this.#isToWait(request);
    return log.until(isFree, runtime, lockMs).then(() => consensus.propose(encodeCommand(request)));
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
