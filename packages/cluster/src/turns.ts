/**
 * Turns at contended keys: a queue in the memory of the leader that gives them, for transactions that run again after a conflict. Whoever has a
 * turn at all the keys that it is likely to touch runs alone there, so that it commits as a rule rather than conflict once more; those who only
 * read a key share it.
 *
 * A turn is a hint (TX-33). Nothing is certified by it, no log holds it, and who has none is served all the same: it decides when somebody who has asked for
 * it goes on, and nothing else. A leader that is lost takes its turns along.
 *
 * - No two hold a turn at one key, unless both read it, before the lease of the first has run out.
 * - The oldest comes first. A younger one may overtake one that is held up by others for a while, and not after that.
 * - Whoever asks is answered in time: with a turn, or with none once it has waited for long, or where too many are there.
 */
import type { Runtime } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { Deadlines } from "./deadlines.ts";

/** What a transaction touches. */
export interface Footprint {
  /** Keys that it writes. */
  readonly written: readonly string[];
  /** Keys that it only reads. */
  readonly read: readonly string[];
}

export interface TurnRequest extends Footprint {
  /** By which the turn is known; drawn at random. */
  readonly token: number;
  /** When the transaction first met a conflict: the less, the older. */
  readonly since: CommitTimestamp;
}

/** The most keys that a turn is asked for at. */
export const TURN_KEYS_MAX = 64;

export interface TurnLimits {
  /** How long a turn lasts whose holder is not heard of, in milliseconds. Default 250. */
  readonly leaseMs: number;
  /** How long somebody waits for a turn, in milliseconds. Default 1,000. */
  readonly waitMs: number;
  /** After this time nobody overtakes who waits, in milliseconds. Default 250. */
  readonly overtakenMs: number;
  /** How many may wait for a turn or have one. Default 512. */
  readonly placesMax: number;
}

export const DEFAULT_TURN_LIMITS: TurnLimits = Object.freeze({
  leaseMs: 250,
  waitMs: 1000,
  overtakenMs: 250,
  placesMax: 512,
});

/** Since the replica was opened. */
export interface TurnCounters {
  granted: number;
  /** Turns that ended because nobody was heard of in time. */
  expired: number;
  /** Answered without a turn. */
  denied: number;
}

type Deadline = ReturnType<Deadlines["add"]>;

interface Waiting {
  readonly request: TurnRequest;
  readonly deadline: Deadline;
  /** Until then others may overtake, by the clock of the runtime. */
  readonly overtakenUntil: number;
  readonly answer: (isGranted: boolean) => void;
}

interface Holding {
  readonly request: TurnRequest;
  readonly lease: Deadline;
}

export class Turns {
  readonly counters: TurnCounters = { granted: 0, expired: 0, denied: 0 };
  readonly #runtime: Runtime;
  readonly #limits: TurnLimits;
  readonly #leases: Deadlines;
  readonly #waits: Deadlines;
  /** By token. */
  readonly #holding = new Map<number, Holding>();
  /** The oldest first. */
  readonly #waiting: Waiting[] = [];

  constructor(runtime: Runtime, limits: Partial<TurnLimits> = {}) {
    this.#runtime = runtime;
    this.#limits = { ...DEFAULT_TURN_LIMITS, ...limits };
    this.#leases = new Deadlines(runtime, this.#limits.leaseMs);
    this.#waits = new Deadlines(runtime, this.#limits.waitMs);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many turns are held. */
  get held(): number {
    return this.#holding.size;
  }

  /** Resolves with whether the turn came; never rejects. What the same token held or waited for before is over. */
  take(request: TurnRequest): Promise<boolean> {
    this.#forget(request.token);
    return new Promise((resolve) => {
      if (this.waiting + this.held < this.#limits.placesMax) this.#enqueue(request, resolve);
      else this.#deny(resolve);
      this.#grant();
    });
  }

  /** The transaction is done, or has given up. */
  end(token: number): void {
    if (this.#forget(token)) this.#grant();
  }

  #enqueue(request: TurnRequest, answer: Waiting["answer"]): void {
    const deadline = this.#waits.add(() => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.#deny(answer);
      this.#grant();
    });
    const overtakenUntil = this.#runtime.now() + this.#limits.overtakenMs;
    const waiting: Waiting = { request, deadline, overtakenUntil, answer };
    const at = this.#waiting.findIndex((other) => isOlder(request, other.request));
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiting);
  }

  #deny(answer: Waiting["answer"]): void {
    this.counters.denied++;
    answer(false);
  }

  /** @returns whether there was anything to forget */
  #forget(token: number): boolean {
    const holding = this.#holding.get(token);
    if (holding !== undefined) this.#leases.cancel(holding.lease);
    const at = this.#waiting.findIndex(({ request }) => request.token === token);
    if (at >= 0) {
      const [{ deadline, answer }] = this.#waiting.splice(at, 1) as [Waiting];
      this.#waits.cancel(deadline);
      this.#deny(answer);
    }
    return this.#holding.delete(token) || at >= 0;
  }

  /** Gives a turn to each whose keys nobody holds, and nobody before him has waited for long enough. */
  #grant(): void {
    if (this.#waiting.length === 0) return;
    const now = this.#runtime.now();
    const taken = new Claims();
    for (const { request } of this.#holding.values()) taken.add(request);
    for (const waiting of [...this.#waiting]) {
      const isFree = !taken.meets(waiting.request);
      if (isFree || waiting.overtakenUntil <= now) taken.add(waiting.request);
      if (isFree) this.#give(waiting);
    }
  }

  #give(waiting: Waiting): void {
    const { request, deadline, answer } = waiting;
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    this.#waits.cancel(deadline);
    const lease = this.#leases.add(() => {
      this.counters.expired++;
      this.#holding.delete(request.token);
      this.#grant();
    });
    this.#holding.set(request.token, { request, lease });
    this.counters.granted++;
    answer(true);
  }
}

/** Keys that are not free any more. */
class Claims {
  readonly #written = new Set<string>();
  readonly #read = new Set<string>();

  add({ written, read }: Footprint): void {
    for (const key of written) this.#written.add(key);
    for (const key of read) this.#read.add(key);
  }

  meets({ written, read }: Footprint): boolean {
    return (
      written.some((key) => this.#written.has(key) || this.#read.has(key)) ||
      read.some((key) => this.#written.has(key))
    );
  }
}

function isOlder(a: TurnRequest, b: TurnRequest): boolean {
  return a.since < b.since || (a.since === b.since && a.token < b.token);
}
