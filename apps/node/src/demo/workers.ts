/**
 * Concurrency in one thread: a worker is a loop, and between two awaits of one the others run. `turn` in the body of a
 * transaction lets all others in, so that transactions overlap as much as they can.
 */
import { setImmediate } from "node:timers/promises";

export async function turn(): Promise<void> {
  await setImmediate();
}

/** Runs `step` again and again in each of `workers` loops, until `isOver`. */
export async function runWorkers(
  workers: number,
  isOver: () => boolean,
  step: (worker: number) => Promise<void>,
): Promise<void> {
  const loop = async (worker: number) => {
    while (!isOver()) await step(worker);
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => loop(worker)));
}
