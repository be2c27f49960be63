/** Sequences of mutations leave what the last of them says. */

import type { CommitRecord } from "@khonsu/core";
import fc from "fast-check";
import { append, commit, put, remove } from "./commits.ts";
import { type StorageSuiteOptions, withMedium } from "./harness.ts";
import { assertContents } from "./model.ts";
import { groups } from "./random-commits.ts";
import { labelled, numbered } from "./sample-batches.ts";
import { reloaded, roundTrip, writeGroups } from "./written.ts";

export function historyCases(options: StorageSuiteOptions): void {
  const { test } = options;

  test("a put takes the place of the value, of another schema and of more chunks too", async () => {
    const first = commit(1, put("a", numbered(0, 2), numbered(2, 2), numbered(4)), put("b", numbered(9)));
    await roundTrip(
      options,
      [first],
      [commit(2, put("a", labelled("x")))],
      [commit(3, append("a", labelled("y")))],
    );
    await roundTrip(options, [first, commit(2, put("a", labelled("x")))]);
  });

  test("a deleted key is gone until it is put again; deleting an absent key does nothing", async () => {
    const first = commit(1, put("a", numbered(0), numbered(1)), put("b", numbered(2)), remove("absent"));
    await roundTrip(options, [first], [commit(2, remove("a"), remove("b"))]);
    await roundTrip(options, [first], [commit(2, remove("a"))], [commit(3, put("a", labelled("again")))]);
    await roundTrip(options, [
      first,
      commit(2, remove("a")),
      commit(3, put("a", numbered(7))),
      commit(4, append("a", numbered(8))),
    ]);
    await roundTrip(options, [commit(1, remove("never"))]);
  });

  test("many appends, in groups of one and of many, interleaved with puts, keep the order of rows", async () => {
    const history: CommitRecord[][] = [[commit(1, put("log", numbered(0)), put("other", numbered(0)))]];
    let timestamp = 1;
    for (let size = 1; size <= 40; size++) {
      const group: CommitRecord[] = [];
      for (let i = 0; i < size; i++)
        group.push(commit(++timestamp, append("log", numbered(timestamp, size % 3))));
      group.push(
        commit(++timestamp, size === 20 ? put("log", numbered(-1)) : append("other", numbered(timestamp))),
      );
      history.push(group);
    }
    await roundTrip(options, ...history);
  });

  test("the timestamp of the last commit is kept, also when it only deleted or changed nothing", async () => {
    await roundTrip(options, [commit(3, put("a", numbered(0)))], [commit(10, remove("a"))]);
    await roundTrip(options, [commit(3, put("a", numbered(0)))], [commit(11)]);
    await roundTrip(options, [commit(2 ** 53 - 2 ** 32, put("a", numbered(0)))]);
  });

  test("thousands of keys, changed over many calls, come back", async () => {
    const history = Array.from({ length: 50 }, (_, call) =>
      Array.from({ length: 20 }, (_, index) => {
        const timestamp = 1 + call * 20 + index;
        const puts = Array.from({ length: 4 }, (_, n) =>
          put(`key/${(timestamp * 4 + n) % 3000}`, numbered(timestamp)),
        );
        return commit(timestamp, ...puts);
      }),
    );
    await roundTrip(options, ...history);
  });

  test("random histories, with the medium closed and opened in the middle, leave what the model says", async () => {
    const property = fc.asyncProperty(
      groups({ groups: 12, commits: 4 }),
      fc.nat(12),
      async (history, split) => {
        await withMedium(options, async (medium) => {
          await writeGroups(medium, history.slice(0, split));
          const between = await writeGroups(medium, history.slice(split));
          assertContents(between, history.slice(0, split).flat());
          assertContents(await reloaded(medium), history.flat());
        });
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });
}
