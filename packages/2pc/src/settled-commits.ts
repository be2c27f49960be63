/**
 * Commits that are kept for whoever asks again, by id, as numbers side by side: a table keeps hundreds of thousands of them for minutes, and as objects
 * they would be most of what garbage collection has to look at. Open addressing with linear probing.
 */
import type { Timestamp, TransactionId } from "./transaction-id.ts";

/** Birth + 1 (0: the place is free), random part, home, value. */
const FIELDS = 4;
const PLACES_MIN = 16;

export class SettledCommits {
  #numbers = new Float64Array(PLACES_MIN * FIELDS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The value that was added for an id. */
  get({ birth, random, home }: TransactionId): number | undefined {
    const at = this.#find(birth, random, home);
    return this.#numbers[at] === 0 ? undefined : this.#numbers[at + 3];
  }

  /** Invariant: there is nothing of the id yet. */
  add({ birth, random, home }: TransactionId, value: number): void {
    if (2 * (this.#size + 1) * FIELDS > this.#numbers.length) this.#refill(2 * this.#numbers.length, -1);
    this.#put(birth, random, home, value);
  }

  /** Removes what was born at or below `floor`. */
  deleteUpTo(floor: Timestamp): void {
    this.#refill(this.#numbers.length, floor);
  }

  /** The same again, which later changes of this one leave as it is. */
  copy(): SettledCommits {
    const copy = new SettledCommits();
    copy.#numbers = this.#numbers.slice();
    copy.#size = this.#size;
    return copy;
  }

  /** In no order. */
  *entries(): Generator<readonly [TransactionId, number], undefined> {
    const numbers = this.#numbers;
    for (let at = 0; at < numbers.length; at += FIELDS) {
      if (numbers[at] === 0) continue;
      const id = { birth: numbers[at]! - 1, random: numbers[at + 1]!, home: numbers[at + 2]! };
      yield [id, numbers[at + 3]!];
    }
  }

  #put(birth: number, random: number, home: number, value: number): void {
    const at = this.#find(birth, random, home);
    const numbers = this.#numbers;
    numbers[at] = birth + 1;
    numbers[at + 1] = random;
    numbers[at + 2] = home;
    numbers[at + 3] = value;
    this.#size++;
  }

  /** Where an id is, or belongs. There is always a free place. */
  #find(birth: number, random: number, home: number): number {
    const numbers = this.#numbers;
    const mask = numbers.length - 1;
    let at = (hash(birth, random) * FIELDS) & mask;
    for (;;) {
      const found = numbers[at];
      if (found === 0) return at;
      if (found === birth + 1 && numbers[at + 1] === random && numbers[at + 2] === home) return at;
      at = (at + FIELDS) & mask;
    }
  }

  /** Puts what was born above `floor` into as many numbers as given. */
  #refill(length: number, floor: Timestamp): void {
    const old = this.#numbers;
    this.#numbers = new Float64Array(length);
    this.#size = 0;
    for (let at = 0; at < old.length; at += FIELDS) {
      const birth = old[at]! - 1;
      if (birth >= 0 && birth > floor) this.#put(birth, old[at + 1]!, old[at + 2]!, old[at + 3]!);
    }
  }
}

/** 29 bits of the lower halves of both. */
function hash(birth: number, random: number): number {
  let mixed = Math.imul((birth | 0) ^ Math.imul(random | 0, 0x9e37_79b1), 0x85eb_ca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 13)) >>> 3;
}
