/** Takes from one queue, or else from another; where both are empty, it waits for whichever gets an item first. */
import { orElse, type Transaction } from "@khonsu/core";
import type { BoundedQueue } from "./bounded-queue.ts";

export function takeFirst(urgent: BoundedQueue, normal: BoundedQueue): (tx: Transaction) => number {
  return orElse(
    (tx) => urgent.take(tx),
    (tx) => normal.take(tx),
  );
}
