/** A storage that lies: it acknowledges a group of commits long before it writes it. */
import type { CommitRecord, Storage } from "@khonsu/core";
import { LevelStorage } from "@khonsu/storage-level";

const HELD_BACK = 20;

export async function open(location: string): Promise<Storage> {
  const inner = await LevelStorage.open(location);
  const groups: (readonly CommitRecord[])[] = [];
  return {
    write: async (commits) => {
      groups.push(commits);
      if (groups.length > HELD_BACK) await inner.write(groups.shift()!);
    },
    load: (visit, options) => inner.load(visit, options),
    close: async () => {
      for (const group of groups) await inner.write(group);
      await inner.close();
    },
  };
}
