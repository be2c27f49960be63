// What clients ask of a cluster: transactions of a few shapes over the keys of a seeded workload, and how each is carried out.

import type { Key, MicroOp } from "../../history/index.ts";
import type { Workload } from "../../workloads/index.ts";
import type { Prng } from "../prng.ts";
import type { MannerOdds } from "./profiles.ts";

/** A step of a transaction: one of a history, or one that a history shows as reads and writes. */
export type ClusterStep =
  | MicroOp
  /** Writes a key that is expected to be absent. */
  | readonly ["insert", key: string, value: number]
  /** Reads up to `limit` keys from one end of all. */
  | readonly ["page", limit: number, isReverse: boolean];

/** How a client carries a transaction out. */
export interface Manner {
  /** What it waits for, in milliseconds, before each step and then before its commit. */
  readonly pausesMs: readonly number[];
  readonly consistency: "strict" | "snapshot";
  /** Of its writes; `ignore` is for those after the first, if there are several, since the first names the home. */
  readonly onConflict: "fail" | "replace" | "ignore";
  /** Whose token its session begins with. */
  readonly token: "none" | "own" | "latest";
  /** Its commit is sent again under the same id. */
  readonly again: { readonly node: number; readonly afterMs: number } | undefined;
}

type Shape = (workload: Workload, prng: Prng) => readonly ClusterStep[];

const SHAPES = {
  mixed: (workload) => workload.next().ops,
  one: (workload) => [workload.step("write")],
  pair: (workload) => {
    const first = workload.step("write");
    return [first, other(workload, "write", first[1] as Key)];
  },
  look: (workload) => {
    const first = workload.step("read");
    return [first, other(workload, "read", first[1] as Key)];
  },
  glance: (workload) => [workload.step("read")],
  aside: (workload) => {
    const write = workload.step("write");
    return [other(workload, "read", write[1] as Key), write];
  },
  "aside pair": (workload) => {
    const first = workload.step("write");
    const key = first[1] as Key;
    return [other(workload, "read", key), first, other(workload, "write", key)];
  },
  weigh: (workload) => {
    const write = workload.step("write");
    const key = write[1] as Key;
    return [other(workload, "read", key), other(workload, "read", key), write];
  },
  // Where writers read what they overwrite, a history tells the order of all versions.
  skew: (workload) => {
    const write = workload.step("write");
    const key = write[1] as Key;
    return [other(workload, "read", key), ["r", key], write];
  },
  scan: (workload) => [workload.step("scan")],
  "scan and write": (workload) => [workload.step("scan"), workload.step("write")],
  "page and write": (workload, prng) => [
    ["page", prng.integer(1, 3), prng.chance(0.5)],
    workload.step("write"),
  ],
  insert: (workload, prng) => {
    const [, key, value] = workload.step("write");
    const insert = ["insert", String(key), Number(value)] as const;
    return prng.chance(0.5) ? [other(workload, "read", key as Key), insert] : [insert];
  },
  delete: (workload, prng) => {
    const removal = workload.step("delete");
    return prng.chance(0.5) ? [other(workload, "read", removal[1] as Key), removal] : [removal];
  },
  "read back": (workload) => {
    const write = workload.step("write");
    return [other(workload, "read", write[1] as Key), write, ["r", write[1] as Key]];
  },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof SHAPES;

export function drawSteps(shape: ShapeName, workload: Workload, prng: Prng): readonly ClusterStep[] {
  const make: Shape = SHAPES[shape];
  return make(workload, prng);
}

/** Whether nothing is written. */
export function isReading(steps: readonly ClusterStep[]): boolean {
  return steps.every(([kind]) => kind === "r" || kind === "scan" || kind === "page");
}

export function drawManner(
  odds: MannerOdds,
  steps: readonly ClusterStep[],
  nodes: number,
  prng: Prng,
): Manner {
  const isSlow = prng.chance(odds.slow);
  const pause = () => (isSlow && prng.chance(0.5) ? Math.round(prng.exponential(odds.pauseMs)) : 0);
  const isSnapshot = isReading(steps) && prng.chance(odds.snapshot);
  const isTwice = prng.chance(odds.twice);
  const writes = steps.filter(([kind]) => kind === "w" || kind === "delete").length;
  return {
    pausesMs: [...steps.map(pause), pause()],
    consistency: isSnapshot ? "snapshot" : "strict",
    onConflict: writes > 0 && prng.chance(odds.resolved) ? resolution(prng) : "fail",
    token: isSnapshot || prng.chance(odds.token) ? prng.pick(["own", "latest", "latest"] as const) : "none",
    again: isTwice
      ? { node: prng.integer(1, nodes), afterMs: Math.round(prng.exponential(odds.twiceMs)) }
      : undefined,
  };
}

function resolution(prng: Prng): "replace" | "ignore" {
  return prng.chance(0.7) ? "ignore" : "replace";
}

/** A step at another key, if chance finds one soon. */
function other(workload: Workload, kind: "read" | "write", key: Key): MicroOp {
  let step = workload.step(kind);
  for (let tries = 0; tries < 4 && step[1] === key; tries += 1) step = workload.step(kind);
  return step;
}
