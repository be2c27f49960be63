/** Values of all kinds come back as they were written, and keys of all kinds stay apart. */
import assert from "node:assert/strict";
import { append, commit, put } from "./commits.ts";
import type { StorageSuiteOptions } from "./harness.ts";
import { rowsOf } from "./rows.ts";
import { coded, columnless, everyType, labelled, numbered } from "./sample-batches.ts";
import { roundTrip } from "./written.ts";

export function valueCases(options: StorageSuiteOptions): void {
  const { test } = options;

  test("a batch with a column of every type comes back, nulls and metadata included", async () => {
    await roundTrip(options, [commit(1, put("all", everyType()), put("text", labelled("x", null, "")))]);
  });

  test("chunks come back in order, also such as have no rows", async () => {
    await roundTrip(options, [commit(1, put("a", numbered(0, 3), numbered(0, 0), numbered(3, 4)))]);
    await roundTrip(options, [commit(1, put("a", numbered(0, 0)))]);
    await roundTrip(options, [commit(1, put("a", numbered(0, 0))), commit(2, append("a", numbered(1)))]);
  });

  test("a batch without columns keeps its number of rows", async () => {
    await roundTrip(options, [commit(1, put("none", columnless(0)), put("some", columnless(3)))]);
  });

  test("a slice of a batch is stored as that slice", async () => {
    const whole = everyType();
    const slices = [whole.slice(0, 1), whole.slice(1, 3), whole.slice(2, 3), numbered(0, 100).slice(63, 66)];
    await roundTrip(options, [commit(1, ...slices.map((slice, index) => put(`slice ${index}`, slice)))]);
  });

  test("dictionaries that differ from chunk to chunk do not get mixed up", async () => {
    await roundTrip(
      options,
      [commit(1, put("a", coded("x", "y", "x"), coded("z", null)), put("b", coded("p")))],
      [commit(2, append("a", coded("y", "w"))), commit(3, append("b", coded("q", "p")))],
    );
  });

  test("hundreds of thousands of rows come back", async () => {
    await roundTrip(options, [commit(1, put("large", numbered(0, 300_000)), put("small", numbered(1)))]);
  });

  test("keys that are prefixes of one another, or differ only in NUL or in a surrogate, stay apart", async () => {
    const keys = [
      "a",
      "a\u0000",
      "a\u0000\u0000",
      "a\u0000\u0001",
      "a\u0001",
      "a\u0000ÿ",
      "aa",
      "\u0000",
      "ÿ",
      "é",
      "e\u0301",
    ];
    const more = [
      "\u{1f319}",
      "\u{1f318}",
      "￿",
      "\ue000",
      "account/1",
      "account/10",
      "account",
      " ",
      "\n",
      "__proto__",
      "-1",
    ];
    const puts = [...keys, ...more].map((key, index) => put(key, numbered(index)));
    await roundTrip(
      options,
      [commit(1, ...puts)],
      [commit(2, append("a", numbered(100)), append("a\u0000", numbered(200)))],
    );
  });

  test("huge keys and the empty key are keys like any other", async () => {
    const huge = "k".repeat(2 ** 20);
    await roundTrip(options, [
      commit(1, put(huge, numbered(1)), put(`${huge}x`, numbered(2)), put("", numbered(3))),
    ]);
  });

  test("batches that were written are not changed", async () => {
    const batch = everyType();
    const before = rowsOf([batch]);
    await roundTrip(options, [
      commit(1, put("a", batch)),
      commit(2, append("a", batch)),
      commit(3, put("b", batch)),
    ]);
    assert.deepEqual(rowsOf([batch]), before);
  });
}
