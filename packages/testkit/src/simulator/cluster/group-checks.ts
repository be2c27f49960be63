// The checks of one group, held against every step of every replica of it: those of the simulation of one group, on the disks and the
// messages, what the state machines of a shard answer to each entry, and their state hashes at equal indexes.

import { type Applied, type LogApplication, ShardStateMachine, stateHash } from "@khonsu/cluster";
import { TIMESTAMP_MAX } from "@khonsu/core/isolation";
import type {
  Configuration,
  DecidedEntry,
  DurableRecord,
  Effect,
  Entry,
  Envelope,
  Recovered,
  Status,
} from "@khonsu/paxos";
import { ensure } from "../failure.ts";
import { AcceptorCheck } from "../paxos/checks/acceptor-check.ts";
import { ChosenLog } from "../paxos/checks/chosen-log.ts";
import { ReplicaCheck } from "../paxos/checks/replica-check.ts";

export class GroupChecks {
  readonly chosen: ChosenLog;
  readonly acceptors: AcceptorCheck;
  readonly #replicas: ReplicaCheck;
  readonly #answers: string[] = [];

  constructor(genesis: Configuration) {
    this.chosen = new ChosenLog(genesis, () => true);
    this.acceptors = new AcceptorCheck(this.chosen);
    this.#replicas = new ReplicaCheck(this.chosen, this.acceptors);
  }

  /**
   * Watches one run of a replica, over the application that it has.
   *
   * @param isRestoring whether the replica is to start again from its own checkpoint, asked after each entry.
   */
  watch(replica: number, application: LogApplication, isRestoring: () => boolean): ReplicaWatch {
    this.#replicas.started(replica);
    return new ReplicaWatch(replica, application, isRestoring, this);
  }

  /** TX-2: every replica answers to an entry alike, whatever it has purged, and however it came to its state. */
  answered(replica: number, slot: number, applied: Applied, machine: ShardStateMachine): void {
    const answer = describeAnswer(applied);
    const other = this.#answers[slot];
    ensure(
      other === undefined || other === answer,
      "answer",
      () => `to slot ${slot} replica ${replica} answers ${answer}, another one ${other}`,
    );
    this.#answers[slot] = answer;
    ensure(machine.clock <= TIMESTAMP_MAX, "limit", () => `a shard's clock is at ${machine.clock} (TX-4)`);
  }

  delivered(replica: number, slot: number, applied: number, entry: DecidedEntry): void {
    this.#replicas.delivered(replica, slot, applied, entry);
  }

  applied(replica: number, slot: number, machine: ShardStateMachine): void {
    this.#replicas.applied(replica, slot, stateHash(machine));
  }

  durable(replica: number, header: DurableRecord, entry: Entry | undefined): void {
    this.acceptors.durable(replica, header, entry);
  }

  stepped(status: Status): void {
    this.#replicas.stepped(status);
  }
}

/** Hashes take time in proportion to what a shard holds: they are compared at every so many slots, the same at all replicas. */
const COMPARE_EVERY = 32;

/** One run of one replica: what it was given to apply, and what state that left. */
export class ReplicaWatch implements LogApplication {
  readonly replica: number;
  readonly #application: LogApplication;
  readonly #isRestoring: () => boolean;
  readonly #checks: GroupChecks;
  /** The last slot that was handed over, and the last whose command the state machine has taken. */
  #delivered = 0;
  #applied = 0;
  /** Where the image ends that is about to be restored. */
  #restoresAt = 0;

  constructor(replica: number, application: LogApplication, isRestoring: () => boolean, checks: GroupChecks) {
    this.replica = replica;
    this.#application = application;
    this.#isRestoring = isRestoring;
    this.#checks = checks;
  }

  recovered({ checkpoint, preface }: Recovered): void {
    if (checkpoint !== undefined && preface !== undefined) this.#restoresAt = checkpoint.slot;
  }

  sent(envelope: Envelope): void {
    this.#checks.acceptors.sent(envelope);
  }

  effect(effect: Effect): void {
    if (effect.kind === "restore") this.#restoresAt = effect.checkpoint.slot;
    if (effect.kind !== "decided") return;
    effect.entries.forEach((entry, index) => {
      const slot = effect.first + index;
      this.#checks.delivered(this.replica, slot, this.#delivered, entry);
      this.#delivered = slot;
    });
  }

  apply(slot: number, command: Uint8Array): unknown {
    const application = this.#application;
    const answer = application.apply(slot, command);
    this.#applied = slot;
    if (isShard(application)) {
      this.#checks.answered(this.replica, slot, answer as Applied, application.machine);
      this.#compareState();
      if (this.#isRestoring()) application.restore(Buffer.concat([...application.save()]));
    }
    return answer;
  }

  save(): Iterable<Uint8Array> {
    return this.#application.save();
  }

  restore(image: Uint8Array): void {
    this.#application.restore(image);
    this.#applied = this.#delivered = this.#restoresAt;
    this.#compareState();
  }

  /** Hard case 29: equal indexes, equal states, however they came about. */
  #compareState(): void {
    const application = this.#application;
    if (this.#applied % COMPARE_EVERY === 0 && isShard(application))
      this.#checks.applied(this.replica, this.#applied, application.machine);
  }
}

/** The directory's log has no shard behind it. */
function isShard(
  application: LogApplication,
): application is LogApplication & { readonly machine: ShardStateMachine } {
  return "machine" in application && application.machine instanceof ShardStateMachine;
}

function describeAnswer({ installed, status }: Applied): string {
  const installs = installed?.installs.map(({ key, value }) => [key, value?.hash]);
  return JSON.stringify([status, installed?.timestamp, installs]);
}
