import type { CommitTimestamp } from "@khonsu/core/isolation";
import { expect, test } from "vitest";
import { FirstReads, type ReadAnswer, standsAt } from "./first-reads.ts";

const answer = (at: number, versions: readonly number[] = [1]): ReadAnswer => ({
  kind: "read",
  at: at as CommitTimestamp,
  isNewest: false,
  entries: versions.map((version, i) => ({
    key: `k${i}`,
    version: version as CommitTimestamp,
    value: undefined,
  })),
  ranges: [],
});
const range = { entries: [], covered: { low: "", high: undefined, isHighIncluded: false }, isCut: false };

test("the snapshot is the least of the times of all that was asked before the first answer came", async () => {
  const first = new FirstReads();
  let late: (answer: ReadAnswer) => void = () => {};
  const answers = [
    first.join(Promise.resolve(answer(30))),
    first.join(
      new Promise((resolve) => {
        late = resolve;
      }),
    ),
  ];
  await answers[0];
  late(answer(20));
  expect(await first.snapshot).toBe(20);
  expect((await Promise.all(answers)).map(({ at }) => at)).toEqual([30, 20]);
});

test("the snapshot is at the newest version that was found, where another shard is behind it", async () => {
  const first = new FirstReads();
  await Promise.all([first.join(Promise.resolve(answer(30, [27]))), first.join(Promise.resolve(answer(20)))]);
  expect(await first.snapshot).toBe(27);
});

test("a shard that is far behind is not waited upon: it is to advance", async () => {
  const first = new FirstReads();
  await Promise.all([
    first.join(Promise.resolve(answer(10))),
    first.join(Promise.resolve(answer(10_000_000))),
  ]);
  expect(await first.snapshot).toBe(10_000_000);
});

test("who fails does not count, and where all fail there is no snapshot", async () => {
  const failed = () => Promise.reject(new Error("unreachable"));
  const some = new FirstReads();
  await Promise.allSettled([some.join(failed()), some.join(Promise.resolve(answer(7)))]);
  expect(await some.snapshot).toBe(7);
  const none = new FirstReads();
  await expect(none.join(failed())).rejects.toThrow("unreachable");
  expect(await none.snapshot).toBeUndefined();
});

test.each<readonly [string, boolean, ReadAnswer]>([
  ["of the same time", true, { ...answer(5, [0, 9]), ranges: [range] }],
  ["of an earlier time", false, answer(4)],
  ["of a later time, with versions that were there", true, answer(9, [5, 3])],
  ["of a later time, with a version that was not there", false, answer(9, [5, 6])],
  ["of a later time, with a key that may have been deleted since", false, answer(9, [5, 0])],
  ["of a later time, with a range", false, { ...answer(9, []), ranges: [range] }],
])("an answer %s stands: %s", (_, stands, given) => {
  expect(standsAt(given, 5 as CommitTimestamp)).toBe(stands);
});
