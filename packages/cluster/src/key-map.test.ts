import { contains, prefixRange } from "@khonsu/core/isolation";
import { ShardMap } from "@khonsu/hash-ring";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyMap } from "./key-map.ts";

const key = fc.string({ unit: fc.constantFrom("a", "b", ".", "/", "0", "é", "\u{1f30d}"), maxLength: 6 });

describe("a key map", () => {
  test("PL-1: keeps a key in one shard, for ever the same", () => {
    const map = new KeyMap({ shardCount: 256 });
    expect(
      ["", "a", "account/alice", "κλειδί", "\u{1f30d}"].map((each) => map.shardOf(each)),
    ).toMatchInlineSnapshot(`
      [
        184,
        178,
        49,
        39,
        249,
      ]
    `);
  });

  test("PL-1: the shard of a key of any length is that of its UTF-8", () => {
    const map = new KeyMap({ shardCount: 256 });
    const bytes = new ShardMap({ shardCount: 256 });
    const ofAnyLength = fc
      .tuple(fc.string({ unit: "binary" }), fc.nat({ max: 60 }))
      .map(([text, n]) => text.repeat(n));
    fc.assert(
      fc.property(ofAnyLength, (each) => {
        expect(map.shardOf(each)).toBe(bytes.shardOf(new TextEncoder().encode(each)));
      }),
    );
  });

  test("PL-2: asks one shard for a scan within one placement prefix, and for one key", () => {
    const map = new KeyMap({ shardCount: 256, delimiter: "/" });
    const account = map.shardOf("account/alice");
    expect(map.shardOf("account/bob")).toBe(account);
    expect(map.shardsOf(prefixRange("account/"))).toEqual([account]);
    expect(map.shardsOf(prefixRange("account/a"))).toEqual([account]);
    expect(map.shardsOf({ low: "account/a", high: "account0", isHighIncluded: false })).toEqual([account]);
    expect(map.shardsOf({ low: "x", high: "x", isHighIncluded: true })).toEqual([map.shardOf("x")]);
    expect(map.shardsOf({ low: "account/a", high: "account0", isHighIncluded: true })).toHaveLength(256);
    expect(map.shardsOf(prefixRange("account"))).toHaveLength(256);
    expect(map.shardsOf({ low: "account/a", high: undefined, isHighIncluded: false })).toHaveLength(256);
  });

  test("PL-2: every key of a range is in a shard that is asked", () => {
    const maps = [
      new KeyMap({ shardCount: 64 }),
      new KeyMap({ shardCount: 64, delimiter: "/" }),
      new KeyMap({ shardCount: 1, delimiter: "." }),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...maps),
        key,
        fc.option(key, { nil: undefined }),
        fc.boolean(),
        key,
        (map, low, high, isHighIncluded, tail) => {
          const range = { low, high, isHighIncluded };
          const shards = map.shardsOf(range);
          for (const each of [tail, low + tail, (high ?? "") + tail, low, high ?? ""]) {
            if (contains(range, each)) expect(shards).toContain(map.shardOf(each));
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("refuses options that are out of range", () => {
    expect(() => new KeyMap({ shardCount: 0 })).toThrow(RangeError);
    for (const delimiter of ["", "//", "é"]) {
      expect(() => new KeyMap({ shardCount: 1, delimiter })).toThrow(/delimiter/);
    }
  });
});
