/**
 * Recovery: finds what is left unfinished at a participant and says when somebody should finish it. Prepared transactions are
 * in doubt: their coordinator may have died (hard case 20) or the decision may be lost (21). Commits at home that
 * some participant has not acknowledged may be unknown there. Both are finished by a coordinator that begins by asking home.
 *
 * TP-11: as long as a transaction is unfinished here, somebody is sent again and again, so no outage outlasts its cause.
 */
import { Jitter } from "./jitter.ts";
import { type PaceOptions, paceOptions } from "./options.ts";
import type { ParticipantId, TransactionId } from "./transaction-id.ts";
import { TransactionMap } from "./transaction-map.ts";

/** Start a coordinator for this transaction that begins with recovery. */
export interface Rescue {
  readonly id: TransactionId;
  /** All participants that are known to need the outcome, home included, in ascending order. */
  readonly participants: readonly ParticipantId[];
}

export interface RecoveryOptions extends Partial<PaceOptions> {
  /** What the jitter is drawn from: a different number for each node, so that few recover one transaction at once. */
  readonly seed: number;
}

/** The part of an `OutcomeTable` that recovery watches. */
export interface Unfinished {
  unfinished(): Iterable<
    | {
        readonly state: "prepared";
        readonly id: TransactionId;
        readonly participants: readonly ParticipantId[];
      }
    | {
        readonly state: "committed";
        readonly id: TransactionId;
        readonly unacknowledged: readonly ParticipantId[];
      }
  >;
}

/** How many times as many transactions are remembered as are unfinished, at most. */
const FINISHED_KEPT = 4;

/** Watches one participant's table. Run it where the participant can append, such as at the leader of a replicated log. */
export class Recovery {
  readonly #table: Unfinished;
  readonly #pace: PaceOptions;
  readonly #jitter: Jitter;
  #now = 0;
  /** When each unfinished transaction is due. */
  #due = new TransactionMap<number>();

  /** @throws RangeError if an option is out of range */
  constructor(table: Unfinished, options: RecoveryOptions) {
    const { seed, ...pace } = options;
    this.#table = table;
    this.#pace = paceOptions(pace);
    this.#jitter = new Jitter(seed);
  }

  /** Whether nothing was unfinished at the last tick: until something is, ticks may be left out. */
  get isIdle(): boolean {
    return this.#due.size === 0;
  }

  /** What is due at this tick. A transaction that stays unfinished is due again after the same patience. */
  tick(): readonly Rescue[] {
    this.#now += 1;
    const rescues: Rescue[] = [];
    let count = 0;
    for (const entry of this.#table.unfinished()) {
      count++;
      const { id } = entry;
      const known = this.#due.get(id);
      const at = known ?? this.#later();
      if (known === undefined) this.#due.set(id, at);
      if (at > this.#now) continue;
      const others = entry.state === "prepared" ? entry.participants : [id.home, ...entry.unacknowledged];
      rescues.push({ id, participants: [...others].sort((a, b) => a - b) });
      this.#due.set(id, this.#later());
    }
    // What is finished is forgotten now and then, and at once where nothing else is left.
    if (count === 0 ? !this.isIdle : this.#due.size > FINISHED_KEPT * count) this.#forgetFinished();
    return rescues;
  }

  #forgetFinished(): void {
    const due = new TransactionMap<number>();
    for (const { id } of this.#table.unfinished()) due.set(id, this.#due.get(id)!);
    this.#due = due;
  }

  #later(): number {
    return this.#now + this.#jitter.around(this.#pace.patienceTicks);
  }
}
