// Seeded randomness that splits into named streams. A child stream depends on the seed and on its path of names alone, never on
// how much its parent or a sibling has drawn, so that a new consumer of randomness leaves all others as they were.
//
// The generator is sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, fast in 32-bit arithmetic, passes BigCrush.

/** A stream of pseudo-random numbers; equal seeds and equal paths of names give equal streams. */
export class Prng {
  readonly #path: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any text or integer; it is the root of the path of names */
  constructor(seed: string | number) {
    this.#path = String(seed);
    const [a, b, c] = hashPath(this.#path);
    this.#a = a;
    this.#b = b;
    this.#c = c;
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** An independent stream under `name`. Draws nothing from this one. */
  split(name: string | number): Prng {
    return new Prng(`${this.#path}/${name}`);
  }

  /** A uniform integer in [0, 2^32). */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** A uniform number in [0, 1), of 32 bits. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A uniform integer in [min, max], both included. */
  integer(min: number, max: number): number {
    if (!(max >= min)) throw new RangeError(`Cannot draw an integer: range is [${min}, ${max}]`);
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** True with probability `probability`. Draws a number even for 0 and 1, so that streams stay aligned when a rate is changed. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** An exponentially distributed number with the given mean: the gap between independent events. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  /** One of `items`, each as likely as the other. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("Cannot pick from an empty list");
    return items[this.integer(0, items.length - 1)] as T;
  }

  /** One of `choices` with a probability in proportion to its weight. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0);
    if (!(total > 0)) throw new RangeError("Cannot choose: the weights sum to zero");
    let rest = this.fraction() * total;
    for (const [weight, value] of choices) {
      rest -= weight;
      if (rest < 0) return value;
    }
    return (choices.findLast(([weight]) => weight > 0) as readonly [number, T])[1];
  }

  /** A copy of `items` in random order (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last -= 1) {
      const other = this.integer(0, last);
      [result[last], result[other]] = [result[other] as T, result[last] as T];
    }
    return result;
  }
}

/** Three well-mixed 32-bit words of a text (FNV-1a in three lanes, then the finaliser of MurmurHash3). */
function hashPath(path: string): [number, number, number] {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  let c = 0x85ebca6b;
  for (let index = 0; index < path.length; index += 1) {
    const unit = path.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995) + a;
    c = Math.imul(c ^ unit, 0x1b873593) + b;
  }
  return [finalise(a), finalise(b), finalise(c)];
}

function finalise(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
