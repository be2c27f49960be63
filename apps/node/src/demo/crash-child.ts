/**
 * The process that is killed: reschedules flights and writes the id of each move to standard output as soon as its commit
 * is acknowledged. It ends with the process that started it, and never by itself.
 */
import { Prng } from "@khonsu/testkit/simulator";
import { drawPlan, reschedule } from "./reschedule.ts";
import { openStore, type StorePlace } from "./store.ts";
import { runWorkers } from "./workers.ts";

export interface CrashOrders {
  readonly place: StorePlace;
  readonly workers: number;
  readonly seed: string;
  readonly firstId: number;
}

process.once("disconnect", () => process.exit());

const { place, workers, seed, firstId }: CrashOrders = JSON.parse(process.argv[2] ?? "{}");
const store = await openStore(place);
const streams = Array.from({ length: workers }, (_, worker) => new Prng(seed).split(worker));
let nextId = firstId;

const isOver = () => false;
await runWorkers(workers, isOver, async (worker) => {
  const move = await reschedule(store.db, drawPlan(streams[worker]!, nextId++));
  // Synchronous for a pipe: what is written here left the process before anything else happens.
  if (move !== undefined) process.stdout.write(`${move.id}\n`);
});
