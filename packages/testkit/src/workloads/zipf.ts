// Ranks with Zipf's distribution: rank i (from 0) with a probability in proportion to 1 / (i + 1)^skew.
import type { Prng } from "../simulator/prng.ts";

export class Zipf {
  private readonly cumulative: Float64Array;

  /** @param count number of ranks, at least 1 @param skew 0 for uniform; 1 is already strongly skewed */
  constructor(count: number, skew: number) {
    if (!(count >= 1) || !(skew >= 0))
      throw new RangeError(`Cannot draw from ${count} ranks with skew ${skew}`);
    this.cumulative = new Float64Array(count);
    let sum = 0;
    for (let rank = 0; rank < count; rank++) {
      sum += (rank + 1) ** -skew;
      this.cumulative[rank] = sum;
    }
  }

  draw(random: Prng): number {
    const target = random.fraction() * this.cumulative.at(-1)!;
    let low = 0;
    let high = this.cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.cumulative[middle]! <= target) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
