/** The stores of an outcome table against plain maps by the text of an id. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByBirth } from "./by-birth.ts";
import { SettledCommits } from "./settled-commits.ts";
import { compareTransactionIds, formatTransactionId, type TransactionId } from "./transaction-id.ts";
import { TransactionMap } from "./transaction-map.ts";

/** Few births, so that many are equal, and some in other spans; random parts that differ above 32 bits only. */
const id: fc.Arbitrary<TransactionId> = fc.record({
  birth: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 2 ** 23 }), fc.maxSafeNat()),
  random: fc.oneof(
    fc.nat({ max: 3 }),
    fc.nat({ max: 3 }).map((high) => high * 2 ** 32),
  ),
  home: fc.nat({ max: 2 }),
});
const floor = fc.oneof(fc.integer({ min: -1, max: 2 ** 23 }), fc.constant(Number.MAX_SAFE_INTEGER));

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("add" as const), id, value: fc.maxSafeNat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("floor" as const), floor }) },
);
const steps = fc.array(step, { maxLength: 60, size: "max" });

type Known = Map<string, { readonly id: TransactionId; readonly value: number }>;

function deleteUpTo(known: Known, upTo: number): void {
  for (const [name, { id: each }] of known) if (each.birth <= upTo) known.delete(name);
}

function inOrder(known: Known): (readonly [TransactionId, number])[] {
  return [...known.values()]
    .sort((a, b) => compareTransactionIds(a.id, b.id))
    .map((each) => [each.id, each.value] as const);
}

test("a map by transaction id holds what a map by its text would", () => {
  const property = fc.property(steps, (all) => {
    const map = new TransactionMap<number>();
    const known: Known = new Map();
    for (const each of all) {
      if (each.kind === "add") {
        map.set(each.id, each.value);
        known.set(formatTransactionId(each.id), each);
      } else if (each.kind === "delete") {
        expect(map.delete(each.id)).toBe(known.delete(formatTransactionId(each.id)));
      } else {
        map.deleteUpTo(each.floor);
        deleteUpTo(known, each.floor);
      }
      expect(map.size).toBe(known.size);
    }
    for (const { id: each, value } of known.values()) expect(map.get(each)).toBe(value);
    for (const each of all) {
      if (each.kind === "delete")
        expect(map.get(each.id)).toBe(known.get(formatTransactionId(each.id))?.value);
    }
    const values = (of: Iterable<number>) => [...of].sort((a, b) => a - b);
    expect(values(map.values())).toEqual(values([...known.values()].map(({ value }) => value)));
  });
  fc.assert(property, { numRuns: 1000 });
});

test("settled commits are found until the floor passes their birth, and a copy is not changed any more", () => {
  const property = fc.property(steps, steps, (before, after) => {
    const table = new ByBirth(() => new SettledCommits());
    const known: Known = new Map();
    const run = (all: typeof before) => {
      for (const each of all) {
        if (each.kind === "floor") {
          table.deleteUpTo(each.floor);
          deleteUpTo(known, each.floor);
        } else if (each.kind === "add" && !known.has(formatTransactionId(each.id))) {
          table.obtain(each.id.birth).add(each.id, each.value);
          known.set(formatTransactionId(each.id), each);
        }
        expect(table.size).toBe(known.size);
      }
      for (const each of all) {
        if (each.kind === "floor") continue;
        expect(table.find(each.id.birth)?.get(each.id)).toBe(known.get(formatTransactionId(each.id))?.value);
      }
    };
    run(before);
    const expected = inOrder(known);
    const copies = table.stores().map((store) => store.copy());
    run(after);
    const sorted = copies.flatMap((copy) =>
      [...copy.entries()].sort(([a], [b]) => compareTransactionIds(a, b)),
    );
    expect(sorted).toEqual(expected);
  });
  fc.assert(property, { numRuns: 1000 });
});
