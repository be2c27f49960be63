// Holds what each replica says about itself, and what it hands to its state machine, against the log that is chosen and against what
// all others applied (hard cases 6, 7, 8, 9).
//
// Checks: `promise-forgotten`, `promise-went-down`, `index-order` (trimmed ≤ checkpoint ≤ applied ≤ decided), `index-went-back`, `decided-not-durable`,
// `applied-out-of-order`, `agreement`, `applied-twice`, `state-hash`.

import type { DecidedEntry, Status } from "@khonsu/paxos";
import { ensure } from "../../failure.ts";
import type { AcceptorCheck } from "./acceptor-check.ts";
import { compare, identityOf } from "./acceptor-view.ts";
import type { ChosenLog } from "./chosen-log.ts";

export class ReplicaCheck {
  readonly #chosen: ChosenLog;
  readonly #acceptors: AcceptorCheck;
  readonly #last = new Map<number, Status>();
  readonly #decided: string[] = [];
  readonly #appliedAt = new Map<string, number>();
  readonly #hashes = new Map<number, number>();

  constructor(chosen: ChosenLog, acceptors: AcceptorCheck) {
    this.#chosen = chosen;
    this.#acceptors = acceptors;
  }

  /** A replica starts again: its indexes, and a promise that was not durable, may be lower than before. */
  started(replica: number): void {
    this.#last.delete(replica);
  }

  /** The status of a replica after a step. */
  stepped(status: Status): void {
    if (status.role === "fenced") return;
    const { replica, trimmed, checkpoint, applied, decided } = status;
    const before = this.#last.get(replica);
    this.#last.set(replica, status);
    // While an image is on its way to the state machine, the checkpoint is ahead of what is applied, which stands still.
    const isAwaitingImage = applied < checkpoint && applied <= (before?.applied ?? 0);
    ensure(
      trimmed <= checkpoint && (isAwaitingImage || checkpoint <= applied) && applied <= decided,
      "index-order",
      () =>
        `replica ${replica}: trimmed ${trimmed}, checkpoint ${checkpoint}, applied ${applied}, decided ${decided}`,
    );
    this.#chosen.requireChosen(decided, `replica ${replica}`);
    const durable = this.#acceptors.promisedEver(replica);
    ensure(
      durable === undefined || compare(status.promised, durable) >= 0,
      "promise-forgotten",
      () =>
        `replica ${replica} once promised round ${durable?.round}, and now goes by ${status.promised.round}`,
    );
    if (before === undefined) return;
    ensure(
      compare(status.promised, before.promised) >= 0,
      "promise-went-down",
      () => `replica ${replica} promised round ${before.promised.round}, and now ${status.promised.round}`,
    );
    const wentBack =
      trimmed < before.trimmed ||
      checkpoint < before.checkpoint ||
      decided < before.decided ||
      (applied < before.applied && applied !== 0);
    ensure(
      !wentBack,
      "index-went-back",
      () => `replica ${replica}: ${indexes(before)} became ${indexes(status)}`,
    );
  }

  /** An entry is handed to the state machine of a replica, which has applied all slots up to `applied`. */
  delivered(replica: number, slot: number, applied: number, entry: DecidedEntry): void {
    ensure(
      slot === applied + 1,
      "applied-out-of-order",
      () => `replica ${replica} was given slot ${slot} after slot ${applied}`,
    );
    this.#chosen.requireChosen(slot, `replica ${replica}`);
    const chosen = this.#chosen.at(slot)?.identity ?? "";
    const isDuplicate = entry.kind === "duplicate";
    const identity = isDuplicate ? `duplicate ${entry.client}.${entry.sequence}` : identityOf(entry);
    const agrees = isDuplicate
      ? chosen.startsWith(`command ${entry.client}.${entry.sequence} `)
      : chosen === identity;
    ensure(
      agrees,
      "agreement",
      () => `slot ${slot} is chosen with ${chosen}, and replica ${replica} applies ${identity}`,
    );
    const others = this.#decided[slot];
    ensure(
      others === undefined || others === identity,
      "agreement",
      () => `slot ${slot}: replica ${replica} applies ${identity}, another one ${others}`,
    );
    this.#decided[slot] = identity;
    if (entry.kind === "command") this.#once(`${entry.client}.${entry.sequence}`, slot);
  }

  /** A replica has applied everything up to `index` and its state machine has `hash`. */
  applied(replica: number, index: number, hash: number): void {
    const other = this.#hashes.get(index);
    ensure(
      other === undefined || other === hash,
      "state-hash",
      () => `at index ${index} replica ${replica} has state hash ${hash}, another one ${other}`,
    );
    this.#hashes.set(index, hash);
  }

  #once(command: string, slot: number): void {
    const before = this.#appliedAt.get(command);
    ensure(
      before === undefined || before === slot,
      "applied-twice",
      () => `command ${command} is applied at slots ${before} and ${slot}`,
    );
    this.#appliedAt.set(command, slot);
  }
}

function indexes({ trimmed, checkpoint, applied, decided }: Status): string {
  return `trimmed ${trimmed}, checkpoint ${checkpoint}, applied ${applied}, decided ${decided}`;
}
