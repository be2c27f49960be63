import { expect, test } from "vitest";
import { CommitHistory } from "./commit-history.ts";
import type { Entry } from "./conflict-resolution.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import { WriteEntry } from "./isolation/write-set.ts";
import { DEFAULT_POLICY } from "./options.ts";

function deleted(...keys: readonly string[]): Entry[] {
  return keys.map((key) => new WriteEntry(key, { kind: "delete" }, undefined, DEFAULT_POLICY));
}

function recordAll(history: CommitHistory, ...commits: readonly (readonly string[])[]): void {
  commits.forEach((keys, index) => {
    history.record((index + 1) as CommitTimestamp, deleted(...keys));
  });
}

test("the latest commits come oldest first, each with its own keys, however many the slot had before", () => {
  const history = new CommitHistory(2, 0 as CommitTimestamp);
  recordAll(history, ["a", "b", "c"], ["d"], ["e"], ["f", "g"], ["h"]);
  expect([...history].map(({ timestamp, keys }) => [timestamp, ...keys])).toEqual([
    [4, "f", "g"],
    [5, "h"],
  ]);
  expect([...history].map(({ values }) => values.length)).toEqual([2, 1]);
  expect(history.forgottenUpTo).toBe(3);
});

test("with room left, all commits after the last one before the store was opened are there", () => {
  const history = new CommitHistory(10, 7 as CommitTimestamp);
  expect([history.forgottenUpTo, ...history]).toEqual([7]);
  history.record(8 as CommitTimestamp, deleted("a"));
  expect(history.forgottenUpTo).toBe(7);
});

test("without room, a commit is handed out once and forgotten", () => {
  const history = new CommitHistory(0, 0 as CommitTimestamp);
  const { keys } = history.record(1 as CommitTimestamp, deleted("a"));
  expect(keys).toEqual(["a"]);
  expect([...history]).toEqual([]);
  expect(history.forgottenUpTo).toBe(1);
});

test("writes that were dropped are no part of the commit", () => {
  const [kept, dropped] = deleted("a", "b");
  dropped!.isDropped = true;
  const history = new CommitHistory(1, 0 as CommitTimestamp);
  expect(history.record(1 as CommitTimestamp, [dropped!, kept!]).keys).toEqual(["a"]);
});
