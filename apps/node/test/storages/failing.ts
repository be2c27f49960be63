/** A storage whose disk is full after some writes. */
import type { Storage } from "@khonsu/core";
import { LevelStorage } from "@khonsu/storage-level";

const WRITES = 50;

export async function open(location: string): Promise<Storage> {
  const inner = await LevelStorage.open(location);
  let writes = 0;
  return {
    write: async (group) => {
      if (++writes > WRITES) throw new Error("no space left on device");
      await inner.write(group);
    },
    load: (visit, options) => inner.load(visit, options),
    close: () => inner.close(),
  };
}
