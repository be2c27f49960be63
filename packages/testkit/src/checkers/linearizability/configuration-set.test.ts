import { describe, expect, it } from "vitest";
import { Prng } from "../../simulator/prng.ts";
import { ConfigurationSet, LinearizedSet } from "./configuration-set.ts";

describe("configurations", () => {
  it("are told apart even where their hashes are equal, and known again", () => {
    // Two words at random, hashed to one: among 300 000 some ten pairs share a hash.
    const random = new Prng("configurations");
    const words = Array.from({ length: 300_000 }, () => [random.uint32() & ~1, random.uint32() | 1] as const);
    const linearized = new LinearizedSet(60);
    const seen = new ConfigurationSet();
    const add = ([low, high]: readonly [number, number]): boolean => {
      linearized.words.set([low, high]);
      linearized.endWord = 2;
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
