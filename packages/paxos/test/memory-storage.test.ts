import { test } from "vitest";
import { acceptorStorageSuite, MemoryDisk } from "../src/testing/index.ts";

for (const kept of [0, 1, 3]) {
  acceptorStorageSuite({
    test: (name, body) => test(`memory, ${kept} unsynced records survive a crash: ${name}`, body),
    factory: async () => {
      const disk = new MemoryDisk();
      return {
        open: async () => disk.open(),
        crash: async () => disk.crash(kept),
        corruptEntry: async (slot) => disk.corruptEntry(slot),
        corruptImage: async (slot) => disk.corruptImage(slot),
        failWrites: async (count) => disk.failWrites(count),
        destroy: async () => disk.wipe(),
      };
    },
    supports: { crash: true, corruptEntry: true, corruptImage: true, failWrites: true },
  });
}
