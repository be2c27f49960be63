/**
 * The process that is killed. Works on the store in the directory given, and says on its output what it has done: "open", and for each
 * acknowledged step its worker and number. A line is written before the next step begins, so the parent has all that was acknowledged.
 */
import { writeSync } from "node:fs";
import { Khonsu } from "@khonsu/core";
import { LevelStorage } from "../src/index.ts";
import { openAccounts, takeStep, WORKERS } from "./ledger.ts";

const location = process.argv[2]!;
const db = await Khonsu.open({ storage: await LevelStorage.open(location) });
await openAccounts(db);
writeSync(1, "open\n");

async function work(worker: number): Promise<never> {
  for (;;) {
    const step = await takeStep(db, worker, Math.random);
    writeSync(1, `${worker} ${step}\n`);
  }
}

await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
