/** Opening, closing, progress, and order over many calls. */
import assert from "node:assert/strict";
import type { LoadProgress } from "@khonsu/core";
import { commit, put } from "./commits.ts";
import { type StorageSuiteOptions, withMedium } from "./harness.ts";
import { assertContents, loadAll } from "./model.ts";
import { numbered } from "./sample-batches.ts";
import { reloaded, writeGroups } from "./written.ts";

export function lifeCycleCases(options: StorageSuiteOptions, load: boolean): void {
  const { test } = options;

  test("writes of one commit and of many are taken in commit order", async () => {
    await withMedium(options, async (medium) => {
      const storage = await medium.open();
      if (load) await loadAll(storage);
      await storage.write([commit(1, put("a", numbered(1)))]);
      await storage.write([commit(2, put("a", numbered(2))), commit(5), commit(9, put("b", numbered(3)))]);
      await storage.close?.();
    });
  });

  if (!load) return;

  test("an empty medium has no key and no commit", async () => {
    await withMedium(options, async (medium) => {
      assertContents(await reloaded(medium), []);
      assertContents(await reloaded(medium), []);
    });
  });

  test("what was loaded stays as it was while the storage is written to and closed", async () => {
    await withMedium(options, async (medium) => {
      const first = commit(1, put("a", numbered(1, 5)), put("b", numbered(2)));
      const second = commit(2, put("a", numbered(3)));
      await writeGroups(medium, [[first]]);
      const loaded = await writeGroups(medium, [[second]]);
      assertContents(loaded, [first]);
      assertContents(await reloaded(medium), [first, second]);
    });
  });

  test("progress is told, never goes back, and ends with all keys", async () => {
    await withMedium(options, async (medium) => {
      const puts = Array.from({ length: 500 }, (_, index) => put(`key ${index}`, numbered(index, 300)));
      await writeGroups(medium, [[commit(1, ...puts)]]);
      const storage = await medium.open();
      const told: LoadProgress[] = [];
      await storage.load!(() => {}, { onProgress: (progress) => told.push(progress) });
      await storage.close?.();
      const last = told.at(-1);
      assert.equal(last?.keys, 500);
      if (last.totalBytes !== undefined) assert.equal(last.bytes, last.totalBytes);
      for (const [index, progress] of told.entries()) {
        const before = told[index - 1] ?? { keys: 0, bytes: 0 };
        assert(progress.keys >= before.keys && progress.bytes >= before.bytes, "progress went back");
      }
    });
  });
}
