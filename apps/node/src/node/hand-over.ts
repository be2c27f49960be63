/** Before a node stops: every group that it leads is handed to another replica, all at once, so that nobody has to wait for an election. */
import type { Runtime } from "@khonsu/core";
import type { HostedGroups } from "./hosted-groups.ts";

/** Between two rounds over the groups that are still led here. */
const AGAIN_MS = 20;

/** @returns the groups that this node still leads after `milliseconds`, though others could. */
export async function handOverAll(
  groups: HostedGroups,
  runtime: Runtime,
  milliseconds: number,
): Promise<number[]> {
  const deadline = runtime.now() + milliseconds;
  const toHandOver = (): number[] => groups.led().filter((group) => groups.hasSuccessor(group));
  for (let led = toHandOver(); led.length > 0; led = toHandOver()) {
    const left = deadline - runtime.now();
    if (left <= 0) return led;
    const round = Promise.all(led.map((group) => groups.handOver(group)));
    await Promise.race([round, pause(runtime, left)]);
    await pause(runtime, Math.min(AGAIN_MS, Math.max(0, deadline - runtime.now())));
  }
  return [];
}

function pause(runtime: Runtime, milliseconds: number): Promise<void> {
  return new Promise((resolve) => runtime.schedule(milliseconds, resolve));
}
