// The checks of one group, held against every step of every replica of it: those of the simulation of one group, on the disks and the
// messages, and the state hashes of the shard's state machines, at equal indexes.

import { type LogApplication, stateHash } from "@khonsu/cluster";
import type { Configuration, DurableRecord, Effect, Entry, Envelope, Recovered, Status } from "@khonsu/paxos";
import { AcceptorCheck } from "../paxos/checks/acceptor-check.ts";
import { ChosenLog } from "../paxos/checks/chosen-log.ts";
import { ReplicaCheck } from "../paxos/checks/replica-check.ts";

export class GroupChecks {
  readonly chosen: ChosenLog;
  readonly acceptors: AcceptorCheck;
  readonly #replicas: ReplicaCheck;

  constructor(genesis: Configuration) {
    this.chosen = new ChosenLog(genesis, () => true);
    this.acceptors = new AcceptorCheck(this.chosen);
    this.#replicas = new ReplicaCheck(this.chosen, this.acceptors);
  }

  /** Watches one run of a replica, over the application that it has. */
  watch(replica: number, application: LogApplication): ReplicaWatch {
    this.#replicas.started(replica);
    return new ReplicaWatch(replica, application, this.acceptors, this.#replicas);
  }

  durable(replica: number, header: DurableRecord, entry: Entry | undefined): void {
    this.acceptors.durable(replica, header, entry);
  }

  stepped(status: Status): void {
    this.#replicas.stepped(status);
  }
}

/** States are compared at every so many slots, the same at all replicas: the hash takes time in proportion to what a shard holds. */
const COMPARE_EVERY = 8;

/** One run of one replica: what it was given to apply, and what state that left. */
export class ReplicaWatch implements LogApplication {
  readonly replica: number;
  readonly #application: LogApplication;
  readonly #acceptors: AcceptorCheck;
  readonly #replicas: ReplicaCheck;
  /** The last slot that was handed over, and the last whose command the state machine has taken. */
  #delivered = 0;
  #applied = 0;
  /** Where the image ends that is about to be restored. */
  #restoresAt = 0;

  constructor(
    replica: number,
    application: LogApplication,
    acceptors: AcceptorCheck,
    replicas: ReplicaCheck,
  ) {
    this.replica = replica;
    this.#application = application;
    this.#acceptors = acceptors;
    this.#replicas = replicas;
  }

  recovered({ checkpoint, preface }: Recovered): void {
    if (checkpoint !== undefined && preface !== undefined) this.#restoresAt = checkpoint.slot;
  }

  sent(envelope: Envelope): void {
    this.#acceptors.sent(envelope);
  }

  effect(effect: Effect): void {
    if (effect.kind === "restore") this.#restoresAt = effect.checkpoint.slot;
    if (effect.kind !== "decided") return;
    effect.entries.forEach((entry, index) => {
      const slot = effect.first + index;
      this.#replicas.delivered(this.replica, slot, this.#delivered, entry);
      this.#delivered = slot;
    });
  }

  apply(slot: number, command: Uint8Array): unknown {
    const answer = this.#application.apply(slot, command);
    this.#applied = slot;
    this.#compareState();
    return answer;
  }

  save(): Uint8Array {
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
      this.#replicas.applied(this.replica, this.#applied, stateHash(application.machine));
  }
}

/** The directory's log has no shard behind it. */
function isShard(
  application: LogApplication,
): application is LogApplication & { readonly machine: Parameters<typeof stateHash>[0] } {
  return "machine" in application;
}
