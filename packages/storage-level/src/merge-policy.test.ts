import fc from "fast-check";
import { expect, test } from "vitest";
import { MERGE_FANOUT, mergeDue, SEALED_BYTES, type Sized, tierOf } from "./merge-policy.ts";

/** Appends segments one by one, merging whenever the policy says so; counts how many rows are written again. */
function grow(appends: readonly Sized[]): { segments: Sized[]; rewritten: number } {
  const segments: Sized[] = [];
  let rewritten = 0;
  for (const appended of appends) {
    segments.push(appended);
    for (let due = mergeDue(segments); due > 0; due = mergeDue(segments)) {
      const merged = segments.splice(segments.length - due);
      const rows = merged.reduce((sum, segment) => sum + segment.rows, 0);
      const bytes = merged.reduce((sum, segment) => sum + segment.bytes, 0);
      rewritten += rows;
      segments.push({ rows, bytes });
    }
  }
  return { segments, rewritten };
}

test("a key has at most seven segments a tier besides the sealed ones, whatever is appended", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 400 });
  fc.assert(
    fc.property(sizes, (magnitudes) => {
      const { segments } = grow(
        magnitudes.map((magnitude) => ({ rows: 8 ** magnitude - 1, bytes: 8 ** magnitude })),
      );
      const open = segments.filter((segment) => segment.bytes < SEALED_BYTES);
      const tiers = 1 + Math.max(0, ...open.map(tierOf));
      expect(open.length).toBeLessThanOrEqual((MERGE_FANOUT - 1) * tiers);
    }),
  );
});

test("single rows are written again at most once a tier", () => {
  const { segments, rewritten } = grow(Array.from({ length: 8 ** 5 }, () => ({ rows: 1, bytes: 300 })));
  expect(rewritten).toBeLessThanOrEqual(5 * 8 ** 5);
  expect(segments.length).toBeLessThanOrEqual(7 * 6);
});

test("sealed segments are left alone", () => {
  const sealed = { rows: 1, bytes: SEALED_BYTES };
  expect(mergeDue(Array.from({ length: 20 }, () => sealed))).toBe(0);
  const small = Array.from({ length: 7 }, () => ({ rows: 1, bytes: 100 }));
  expect(mergeDue([sealed, ...small])).toBe(0);
  expect(mergeDue([sealed, ...small, { rows: 1, bytes: 100 }])).toBe(8);
});
