/** A store in a process of its own: executes the transactions that its parent sends, many at once, until it is killed. */
import { Khonsu } from "@khonsu/core";
import { executeOnStore } from "@khonsu/testkit/simulator";
import type { AbstractTransaction } from "@khonsu/testkit/workloads";
import { LevelStorage } from "../src/index.ts";

export interface Order {
  readonly order: number;
  readonly transaction: AbstractTransaction;
}

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("The directory of the database is missing");
const db = await Khonsu.open({ storage: await LevelStorage.open(directory), detectLeaks: false });

/** A turn of the event loop, so that transactions interleave at every step. */
const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

process.on("message", ({ order, transaction }: Order) => {
  executeOnStore(db, transaction, true, pause).then(
    (executed) => process.send?.({ order, ...executed }),
    (error: unknown) => {
      throw error;
    },
  );
});
process.send?.("ready");
