/**
 * The process that is killed. Works on the store in the directory given, and says on its output what it has done: "open", and for each
 * acknowledged step its worker and number. A line is written before the next step begins, so the parent has all that was acknowledged.
 */
import { writeSync } from "node:fs";
import { Khonsu } from "@khonsu/core";
import { Prng } from "@khonsu/testkit/simulator";
import { LevelStorage } from "../src/index.ts";
import { audit, openAccounts, takeStep, WORKERS } from "./ledger.ts";

const location = process.argv[2]!;
const db = await Khonsu.open({ storage: await LevelStorage.open(location) });
await openAccounts(db);
// Each life of a store goes on in another way, as the seed says.
const random = new Prng(`${process.env.KHONSU_SEED ?? "1"} ${await audit(db)}`);
writeSync(1, "open\n");

async function work(worker: number): Promise<never> {
  for (;;) {
    const step = await takeStep(db, worker, () => random.fraction());
    writeSync(1, `${worker} ${step}\n`);
  }
}

await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
