/** Two producers fill two small queues, one consumer empties both, the urgent one first. */
import { Khonsu } from "@khonsu/core";
import { BoundedQueue } from "./bounded-queue.ts";
import { takeFirst } from "./take-first.ts";

const ITEMS = 5;

await using db = await Khonsu.open();
const urgent = new BoundedQueue("urgent", 2);
const normal = new BoundedQueue("normal", 2);

async function produce(queue: BoundedQueue, first: number): Promise<void> {
  for (let item = first; item < first + ITEMS; item++) {
    await db.transact((tx) => queue.put(tx, item));
    console.log(`put ${item} into ${queue.key}`);
  }
}

async function consume(): Promise<void> {
  for (let i = 0; i < 2 * ITEMS; i++) console.log(`took ${await db.transact(takeFirst(urgent, normal))}`);
}

await Promise.all([consume(), produce(normal, 1), produce(urgent, 101)]);
