import { describe, expect, it } from "vitest";
import { Prng } from "../../simulator/prng.ts";
import { ConfigurationSet, LinearizedSet } from "./configuration-set.ts";

describe("configurations", () => {
  it("are told apart even where their hashes are equal, and known again", () => {
    // Among 300 000 some ten pairs share a hash of 32 bits.
    const random = new Prng("configurations");
    const words = [...new Set(Array.from({ length: 300_000 }, () => random.uint32() & ~1))];
    const linearized = new LinearizedSet(40);
    const seen = new ConfigurationSet();
    const add = (word: number): boolean => {
      linearized.words[0] = word;
      linearized.endWord = 1;
      return seen.add(linearized, 0);
    };
    expect(words.filter((word) => !add(word))).toEqual([]);
    expect(words.filter((word) => add(word))).toEqual([]);
    expect(seen.size).toBe(words.length);
  });

  it("are the same whatever the order in which calls came and went", () => {
    const seen = new ConfigurationSet();
    const one = new LinearizedSet(100);
    for (let call = 0; call < 70; call++) one.add(call);
    one.add(90);
    expect(seen.add(one, 3)).toBe(true);
    const other = new LinearizedSet(100);
    for (const call of [90, 99, 80]) other.add(call);
    for (let call = 69; call >= 0; call--) other.add(call);
    expect(seen.add(other, 3)).toBe(true);
    for (const call of [80, 99]) other.remove(call);
    expect(seen.add(other, 3)).toBe(false);
    expect(seen.add(other, 4)).toBe(true);
  });
});
