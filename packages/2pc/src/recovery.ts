/**
 * Recovery: finds what is left unfinished at a participant and says when somebody should finish it. Prepared transactions are
 * in doubt: their coordinator may have died (hard case 20) or the decision may be lost (21). Commits at home that
 * some participant has not acknowledged may be unknown there. Both are finished by a coordinator that begins by asking home.
 *
 * TP-11: as long as a transaction is unfinished here, somebody is sent again and again, so no outage outlasts its cause.
 */
import { Jitter } from "./jitter.ts";
import { type PaceOptions, paceOptions } from "./options.ts";
import { formatTransactionId, type ParticipantId, type TransactionId } from "./transaction-id.ts";

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

/** Watches one participant's table. Run it where the participant can append, such as at the leader of a replicated log. */
export class Recovery {
  readonly #table: Unfinished;
  readonly #pace: PaceOptions;
  readonly #jitter: Jitter;
  #now = 0;
  /** When each unfinished transaction is due. */
  #due = new Map<string, number>();

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
    const due = new Map<string, number>();
    const rescues: Rescue[] = [];
    for (const entry of this.#table.unfinished()) {
      const key = formatTransactionId(entry.id);
      let at = this.#due.get(key) ?? this.#later();
      if (at <= this.#now) {
        const others =
          entry.state === "prepared" ? entry.participants : [entry.id.home, ...entry.unacknowledged];
        rescues.push({ id: entry.id, participants: [...others].sort((a, b) => a - b) });
        at = this.#later();
      }
      due.set(key, at);
    }
    this.#due = due;
    return rescues;
  }

  #later(): number {
    return this.#now + this.#jitter.around(this.#pace.patienceTicks);
  }
}
