/** After a crash at any moment a prefix of the commits is there, each of them whole, and all of those that were acknowledged. */
import assert from "node:assert/strict";
import type { CommitRecord } from "@khonsu/core";
import fc from "fast-check";
import { append, commit, put } from "./commits.ts";
import { type StorageMedium, type StorageSuiteOptions, withMedium } from "./harness.ts";
import { assertContents, loadAll, prefixLength } from "./model.ts";
import { groups } from "./random-commits.ts";
import { numbered } from "./sample-batches.ts";
import { reloaded, writeGroups } from "./written.ts";

export function crashCases(options: StorageSuiteOptions): void {
  const { test } = options;

  test("a write that resolved survives a crash right after", async () => {
    await withMedium(options, async (medium) => {
      const commits = [
        commit(1, put("a", numbered(1)), put("b", numbered(2))),
        commit(2, append("a", numbered(3))),
      ];
      const storage = await medium.open();
      await loadAll(storage);
      for (const one of commits) await storage.write([one]);
      await medium.crash!();
      assertContents(await reloaded(medium), commits);
    });
  });

  test("a crash before the first write leaves an empty medium", async () => {
    await withMedium(options, async (medium) => {
      await loadAll(await medium.open());
      await medium.crash!();
      assertContents(await reloaded(medium), []);
    });
  });

  test("a crash in the middle of a write leaves a prefix of whole commits, with all that resolved", async () => {
    const property = fc.asyncProperty(groups({ groups: 6, commits: 4 }), fc.nat(5), async (history, at) => {
      await withMedium(options, async (medium) => {
        await crashDuring(medium, history, at);
        const acknowledged = history.slice(0, at).flat().length;
        const attempted = history.slice(0, at + 1).flat();
        const kept = prefixLength(await reloaded(medium), attempted);
        assert(kept >= acknowledged, `${kept} commits are there, ${acknowledged} were acknowledged`);
        const rest = history.flat().slice(kept);
        await writeGroups(medium, rest.length > 0 ? [rest] : []);
        assertContents(await reloaded(medium), history.flat());
      });
    });
    await fc.assert(property, { numRuns: 40 });
  });
}

/** Writes the groups before `at`, and crashes while the group `at` is being written. */
async function crashDuring(
  medium: StorageMedium,
  history: readonly CommitRecord[][],
  at: number,
): Promise<void> {
  const storage = await medium.open();
  await loadAll(storage);
  for (const group of history.slice(0, at)) await storage.write(group);
  const group = history[at];
  const writing = group === undefined ? undefined : Promise.resolve(storage.write(group)).catch(() => {});
  await medium.crash!();
  await writing;
}
