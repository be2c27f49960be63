// Holds what a replica tells others against what its disk supports at that moment (hard cases 1, 2, 3).
//
// Checks: `promise-went-down`, `accept-below-promise` on what becomes durable; `ballot-not-durable`, `promise-not-durable`,
// `promise-hides-entry`, `accepted-not-durable` on what is sent.

import type { Ballot, DurableRecord, Entry, Envelope, MessageOf } from "@khonsu/paxos";
import { ensure } from "../../failure.ts";
import { type AcceptorView, compare, newAcceptorView, noteDurable } from "./acceptor-view.ts";
import type { ChosenLog } from "./chosen-log.ts";

export class AcceptorCheck {
  readonly #views = new Map<number, AcceptorView>();
  /** The highest promise that was ever durable, whatever became of the disk. */
  readonly #promisedEver = new Map<number, Ballot>();
  readonly #verified = new Map<number, { promised: string; through: number }>();
  readonly #chosen: ChosenLog;

  constructor(chosen: ChosenLog) {
    this.#chosen = chosen;
  }

  view(replica: number): AcceptorView {
    let view = this.#views.get(replica);
    if (view === undefined) {
      view = newAcceptorView();
      this.#views.set(replica, view);
    }
    return view;
  }

  /** The highest ballot that `replica` has ever durably promised: it must never act below it, with that disk or without. */
  promisedEver(replica: number): Ballot | undefined {
    return this.#promisedEver.get(replica);
  }

  /** The disk of `replica` is gone. */
  forget(replica: number): void {
    this.#views.delete(replica);
    this.#verified.delete(replica);
  }

  /** A record has become durable at `replica`. */
  durable(replica: number, header: DurableRecord, entry: Entry | undefined): void {
    const view = this.view(replica);
    if (header.kind === "promised" || header.kind === "accepted") {
      const { promised } = view;
      ensure(
        promised === undefined || compare(header.ballot, promised) >= 0,
        header.kind === "promised" ? "promise-went-down" : "accept-below-promise",
        () =>
          `replica ${replica} wrote ${header.kind} of round ${header.ballot.round} after it promised ${promised?.round}`,
      );
    }
    if (header.kind === "promised") this.#promisedEver.set(replica, header.ballot);
    if (header.kind === "accepted" && entry !== undefined) {
      this.#chosen.accepted(replica, header.first, header.ballot, entry);
    }
    noteDurable(view, header, entry);
  }

  /** A message leaves `envelope.from`. */
  sent({ from, message }: Envelope): void {
    if (message.kind === "prepare") this.#prepare(from, message);
    else if (message.kind === "promise") this.#promise(from, message);
    else if (message.kind === "accepted") this.#accepted(from, message);
  }

  /** A ballot is used once its maker's disk holds it: else a crash lets it make the same one again (PX-2). */
  #prepare(from: number, { ballot }: MessageOf<"prepare">): void {
    const { promised } = this.view(from);
    ensure(
      promised !== undefined && compare(promised, ballot) >= 0,
      "ballot-not-durable",
      () =>
        `replica ${from} asks for promises of round ${ballot.round}, its disk holds ${promised?.round ?? "none"}`,
    );
  }

  #promise(from: number, message: MessageOf<"promise">): void {
    const view = this.view(from);
    const { promised } = view;
    ensure(
      promised !== undefined && compare(promised, message.ballot) >= 0,
      "promise-not-durable",
      () =>
        `replica ${from} promised round ${message.ballot.round}, and its disk holds ${promised?.round ?? "none"}`,
    );
    for (const [slot, durable] of view.slots) {
      if (slot < message.from || slot <= message.decided) continue;
      if (message.through !== 0 && slot > message.through) continue;
      if (durable.learned || compare(durable.ballot, message.ballot) >= 0) continue;
      const told = message.entries.find((entry) => entry.slot === slot);
      const isTold = told !== undefined && compare(told.ballot, durable.ballot) >= 0;
      ensure(
        isTold || (message.doubtful as readonly number[]).includes(slot),
        "promise-hides-entry",
        () =>
          `replica ${from} promised round ${message.ballot.round} and did not tell what it accepted in slot ${slot}`,
      );
    }
  }

  #accepted(from: number, message: MessageOf<"accepted">): void {
    const view = this.view(from);
    const ballot = `${message.ballot.round}.${message.ballot.priority}.${message.ballot.replica}`;
    const before = this.#verified.get(from);
    const start = before?.promised === ballot ? before.through : 0;
    // A slot that is chosen already needs no further vote, so an answer may cover it whatever this disk holds.
    for (let slot = Math.max(start, this.#chosen.length) + 1; slot <= message.through; slot += 1) {
      const durable = view.slots.get(slot);
      const isBacked =
        durable !== undefined && (durable.learned || compare(durable.ballot, message.ballot) >= 0);
      ensure(
        isBacked,
        "accepted-not-durable",
        () =>
          `replica ${from} answered accepted through ${message.through}, and its disk does not hold slot ${slot} so`,
      );
    }
    if (message.through > start) this.#verified.set(from, { promised: ballot, through: message.through });
  }
}
