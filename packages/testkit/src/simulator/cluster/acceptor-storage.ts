// The simulated storage of a replica behind the interface that drivers use. What a process has not been told when it ends, it never is.

import { type AcceptorStorage, PaxosError } from "@khonsu/paxos";
import type { DiskError } from "../disk.ts";
import type { ReplicaStorage } from "../paxos/replica-storage.ts";
import type { NodeProcess } from "./node-machine.ts";

export function openAcceptorStorage(storage: ReplicaStorage, process: NodeProcess): AcceptorStorage {
  /** Begins a write; settles when the process hears of its end. */
  const written = (begin: (done: (error?: DiskError) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      if (process.isOver) return;
      begin((error) =>
        process.run(() => {
          if (error === undefined) resolve();
          else reject(new PaxosError("KHONSU_STORAGE_FAILED", `Cannot write: ${error}`));
        }),
      );
    });
  return {
    recover: async () => storage.open(),
    write: ({ write, settled, records }) => written((done) => storage.write(write, settled, records, done)),
    saveImage: (slot, image) => written((done) => storage.saveImage(slot, image.slice(), done)),
    readImage: async (slot, offset, length) => {
      const image = storage.readImage(slot);
      if (image === "io-error")
        throw new PaxosError("KHONSU_STORAGE_FAILED", `Cannot read the image at ${slot}`);
      return image?.slice(offset, offset + length);
    },
    close: async () => {},
  };
}
