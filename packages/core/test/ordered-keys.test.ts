/** The index of keys in order, against a sorted array, while keys come and go under its cursors. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Khonsu } from "../src/index.ts";
import { OrderedKeys } from "../src/isolation/ordered-keys.ts";
import { VersionChain } from "../src/isolation/version-chain.ts";
import { rows, valueIn } from "./batches.ts";

type Step =
  | { readonly kind: "fill"; readonly from: number; readonly count: number; readonly by: number }
  | { readonly kind: "clear"; readonly from: number; readonly count: number }
  | { readonly kind: "next"; readonly cursor: number; readonly count: number };

const name = (index: number): string => String(index % 5000).padStart(4, "0");

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("fill" as const),
    from: fc.nat(5000),
    count: fc.integer({ min: 1, max: 700 }),
    by: fc.constantFrom(1, 7, 4999),
  }),
  fc.record({
    kind: fc.constant("clear" as const),
    from: fc.nat(5000),
    count: fc.integer({ min: 1, max: 900 }),
  }),
  fc.record({
    kind: fc.constant("next" as const),
    cursor: fc.nat(3),
    count: fc.integer({ min: 1, max: 400 }),
  }),
);

test("cursors give the next key that is there, in both directions, whatever comes and goes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const keys = new OrderedKeys<number>();
      const present = new Set<string>();
      const bounds: (string | undefined)[] = ["", "2500", undefined, "2500"];
      const isAscending = [true, true, false, false];
      const isStarted = [false, false, false, false];
      const cursors = bounds.map((bound, index) =>
        isAscending[index] === true ? keys.ascend(bound ?? "") : keys.descend(bound),
      );
      for (const each of steps) {
        if (each.kind === "next") {
          const { cursor } = each;
          for (let count = 0; count < each.count; count++) {
            const bound = bounds[cursor];
            const expected = following(present, bound, isAscending[cursor]!, isStarted[cursor]!);
            const chain = cursors[cursor]!.next();
            expect(chain?.key).toBe(expected);
            if (expected === undefined) break;
            bounds[cursor] = expected;
            isStarted[cursor] = true;
          }
          continue;
        }
        for (let index = 0; index < each.count; index++) {
          const key = name(each.from + index * (each.kind === "fill" ? each.by : 1));
          if (each.kind === "fill" && !present.has(key)) keys.insert(new VersionChain<number>(key));
          if (each.kind === "clear" && present.has(key)) keys.remove(key);
          if (each.kind === "fill") present.add(key);
          else present.delete(key);
        }
      }
      const all: string[] = [];
      const cursor = keys.ascend("");
      for (let chain = cursor.next(); chain !== undefined; chain = cursor.next()) all.push(chain.key);
      expect(all).toEqual([...present].sort());
    }),
    { numRuns: 30 },
  );
});

/** The nearest key beyond `bound`, or, at the beginning of an ascending cursor, at it. */
function following(
  present: ReadonlySet<string>,
  bound: string | undefined,
  isAscending: boolean,
  isStarted: boolean,
): string | undefined {
  let best: string | undefined;
  for (const key of present) {
    if (isAscending) {
      const isBeyond = isStarted ? key > bound! : key >= bound!;
      if (isBeyond && (best === undefined || key < best)) best = key;
    } else if ((bound === undefined || key < bound) && (best === undefined || key > best)) {
      best = key;
    }
  }
  return best;
}

test.each([false, true])(
  "a scan that pauses sees its snapshot, whatever commits meanwhile (reverse: %s)",
  async (reverse) => {
    await using db = await Khonsu.open();
    const keys = Array.from({ length: 1500 }, (_, index) => name(index * 3));
    await db.transact((tx) => {
      for (const [index, key] of keys.entries()) tx.write(key, rows(index));
    });
    const reader = db.begin({ isolation: "serializable" });
    const seen: [string, number | undefined][] = [];
    for (const [key, batch] of reader.scan({ reverse })) {
      seen.push([key, valueIn(batch)]);
      if (seen.length % 50 !== 0) continue;
      await db.transact((tx) => {
        for (let each = 0; each < 40; each++) {
          const index = (seen.length * 31 + each * 97) % 4500;
          if (each % 3 === 0) tx.delete(name(index - (index % 3)));
          else tx.write(name(index), rows(-1));
        }
      });
    }
    const expected = keys.map((key, index): [string, number] => [key, index]);
    expect(seen).toEqual(reverse ? expected.reverse() : expected);
    // It has read what others changed, and they have nothing against it: it comes first.
    await reader.commit();
    const { keys: kept, versions } = db.stats();
    expect(versions).toBe(kept);
  },
);

test("a transaction may delete, and write, what it scans while it scans", async () => {
  await using db = await Khonsu.open();
  const keys = Array.from({ length: 1200 }, (_, index) => name(index));
  await db.transact((tx) => {
    for (const key of keys) tx.write(key, rows(1));
  });
  await db.transact((tx) => {
    let count = 0;
    for (const [key] of tx.scan()) {
      if (++count % 2 === 0) tx.delete(key);
      else tx.write(`${key}/copy`, rows(2));
    }
    expect(count).toBe(1200);
  });
  expect(await db.transact((tx) => [...tx.scan()].length)).toBe(1200);
});
