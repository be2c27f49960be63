/** The faults of a run: each is done, its pause in service measured, and undone, before the next begins. */
import type { Prng } from "@khonsu/testkit/simulator";
import type { NodeProcess } from "./node-process.ts";
import type { PauseProbe } from "./pause-probe.ts";
import type { ProcessCluster } from "./process-cluster.ts";

export type FaultName = "kill" | "kill-all" | "stop" | "restart" | "wipe";

/** How often each of them is drawn. */
const WEIGHTS: readonly (readonly [number, FaultName])[] = [
  [6, "kill"],
  [1, "kill-all"],
  [1, "stop"],
  [1, "restart"],
  [1, "wipe"],
];
export const FAULTS: readonly FaultName[] = WEIGHTS.map(([, kind]) => kind);

export interface FaultReport {
  readonly fault: FaultName;
  readonly nodes: readonly number[];
  /** Processes that SIGKILL ended. */
  readonly kills: number;
  /** Until commits to all shards were acknowledged again, in milliseconds. */
  readonly pauseMs: number;
}

export const SERVICE_LIMIT_MS = 60_000;

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function doFault(
  cluster: ProcessCluster,
  probe: PauseProbe,
  random: Prng,
  kinds: readonly FaultName[] = FAULTS,
): Promise<FaultReport> {
  const fault = random.weighted(WEIGHTS.filter(([, kind]) => kinds.includes(kind)));
  const node = random.pick(cluster.nodes);
  const nodes = fault === "kill-all" ? cluster.nodes : [node];
  const begun = performance.now();
  const pauseMs = await DO[fault](nodes, () => probe.pauseAfter(begun, SERVICE_LIMIT_MS), random);
  await cluster.untilSettled();
  const kills = fault === "stop" || fault === "restart" ? 0 : nodes.length;
  return { fault, nodes: nodes.map((one) => one.node), kills, pauseMs };
}

type Do = (nodes: readonly NodeProcess[], pause: () => Promise<number>, random: Prng) => Promise<number>;

const DO: Readonly<Record<FaultName, Do>> = {
  kill: async ([node], pause, random) => {
    await node!.end("SIGKILL");
    const pauseMs = await pause();
    await wait(random.integer(0, 500));
    await node!.start().serves;
    return pauseMs;
  },
  "kill-all": async (nodes, pause) => {
    await Promise.all(nodes.map((node) => node.end("SIGKILL")));
    await Promise.all(nodes.map((node) => node.start().serves));
    return pause();
  },
  stop: async ([node], pause, random) => {
    node!.pause(true);
    try {
      const pauseMs = await pause();
      await wait(random.integer(0, 1500));
      return pauseMs;
    } finally {
      node!.pause(false);
    }
  },
  wipe: async ([node], pause) => {
    await node!.end("SIGKILL");
    await node!.wipe();
    const pauseMs = await pause();
    await node!.start().serves;
    return pauseMs;
  },
  restart: ([node], pause) => restart(node!, pause),
};

/** Stops a node as an operator would, and starts it again. @returns the pause of service, in milliseconds */
export async function restart(node: NodeProcess, pause: () => Promise<number>): Promise<number> {
  const status = await node.end("SIGTERM");
  if (status !== 0) throw new Error(`node ${node.node} ended with status ${status}:\n${node.log}`);
  const pauseMs = await pause();
  await node.start().serves;
  return pauseMs;
}
