/** The usual form of a case: write groups, close, open again, and compare with the model. */
import type { CommitRecord } from "@khonsu/core";
import { type StorageMedium, type StorageSuiteOptions, withMedium } from "./harness.ts";
import { assertContents, type Loaded, loadAll } from "./model.ts";

/** Opens `medium`, loads, writes `groups`, each in a call of its own, and closes. */
export async function writeGroups(
  medium: StorageMedium,
  groups: readonly (readonly CommitRecord[])[],
): Promise<Loaded> {
  const storage = await medium.open();
  const loaded = await loadAll(storage);
  for (const group of groups) await storage.write(group);
  await storage.close?.();
  return loaded;
}

/** What is loaded from `medium` when it is opened once more. */
export async function reloaded(medium: StorageMedium): Promise<Loaded> {
  return writeGroups(medium, []);
}

/** Writes `groups` to a new medium, and checks what is there after closing and opening it. */
export async function roundTrip(options: StorageSuiteOptions, ...groups: CommitRecord[][]): Promise<void> {
  await withMedium(options, async (medium) => {
    await writeGroups(medium, groups);
    assertContents(await reloaded(medium), groups.flat());
  });
}
