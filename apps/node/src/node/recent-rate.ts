/** How many a second over the last ten seconds: one count a second, and the second under way is left out. */

const SECONDS = 10;

export class RecentRate {
  readonly #now: () => number;
  readonly #counts = new Float64Array(SECONDS + 1);
  /** The second under way, counted from the origin of `now`. */
  #second: number;
  readonly #startedAt: number;

  /** @param now milliseconds from any origin. */
  constructor(now: () => number) {
    this.#now = now;
    this.#second = Math.floor(now() / 1000);
    this.#startedAt = this.#second;
  }

  add(): void {
    this.#advance();
    this.#counts[this.#second % this.#counts.length]! += 1;
  }

  read(): number {
    this.#advance();
    const current = this.#counts[this.#second % this.#counts.length]!;
    const before = this.#counts.reduce((sum, count) => sum + count, 0) - current;
    return before / Math.min(SECONDS, Math.max(1, this.#second - this.#startedAt));
  }

  #advance(): void {
    const second = Math.floor(this.#now() / 1000);
    const from = Math.max(this.#second, second - this.#counts.length);
    for (let gone = from + 1; gone <= second; gone++) this.#counts[gone % this.#counts.length] = 0;
    this.#second = second;
  }
}
