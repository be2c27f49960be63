/** The suites by name. Each measures one thing; `Row` and `Detail` say in which form. */
import { clusterGoals } from "../goals/cluster.ts";
import { coreGoals, durableGoals, growthGoals } from "../goals/embedded.ts";
import { failoverGoals } from "../goals/failover.ts";
import type { GoalsOf } from "../goals/goal.ts";
import type { PlanOptions } from "../plan.ts";
import type { Progress } from "../progress.ts";
import type { SuiteResult } from "../report/row.ts";
import { arrow } from "./arrow.ts";
import { checkers } from "./checkers.ts";
import { cluster } from "./cluster.ts";
import { core } from "./core.ts";
import { durable } from "./durable.ts";
import { failover } from "./failover.ts";
import { growth } from "./growth.ts";
import { hashRing } from "./hash-ring.ts";
import { memory } from "./memory.ts";
import { paxos } from "./paxos.ts";
import { paxosDurable } from "./paxos-durable.ts";
import { smallBank, tpcc, ycsb } from "./workloads.ts";

export interface SuiteOptions {
  /** Fewer rounds and operations: a look, not a figure to quote. */
  readonly quick: boolean;
  /** How often `failover` kills each leader. Default: 100, or 5 if quick. */
  readonly kills?: number | undefined;
  /** Whether a warehouse of `tpcc` has all its rows, also if quick. Default: a tenth of them if quick. */
  readonly standard?: boolean | undefined;
  readonly progress: Progress;
}

export type Measure = (options: SuiteOptions) => Promise<SuiteResult>;

export interface Suite {
  readonly measure: Measure;
  /** About how long it takes on a quiet machine of two processors. */
  readonly minutes: (options: PlanOptions) => number;
  /** What it is asked to show, if anything. */
  readonly goalsOf?: GoalsOf | undefined;
}

/** @param full minutes @param quick minutes with `--quick` */
function suite(measure: Measure, full: number, quick: number, goalsOf?: GoalsOf): Suite {
  return { measure, minutes: (options) => (options.quick === true ? quick : full), goalsOf };
}

const MINUTES_A_KILL = 0.1;

const memoryOverCommits: Measure = async (options) => ({
  ...(await memory(options)),
  curves: { x: "commits", y: "heap MiB", series: "phase" },
});

/** In the order in which `all` runs them: what is longest comes last. */
export const suites: Readonly<Record<string, Suite>> = {
  core: suite(core, 2, 0.3, coreGoals),
  growth: suite(growth, 3, 0.3, growthGoals),
  memory: suite(memoryOverCommits, 1, 0.1),
  durable: suite(durable, 1, 0.4, durableGoals),
  arrow: suite(arrow, 4, 1),
  "hash-ring": suite((options) => hashRing(options), 0.5, 0.2),
  checkers: suite(({ quick }) => checkers(quick ? { transactions: 50_000, operations: 10_000 } : {}), 1, 0.1),
  paxos: suite(paxos, 1, 0.2),
  "paxos-durable": suite(paxosDurable, 2, 0.3),
  smallbank: suite(smallBank, 7, 3),
  ycsb: suite(ycsb, 12, 5),
  tpcc: suite(tpcc, 9, 2),
  cluster: suite(cluster, 12, 4, clusterGoals),
  failover: {
    measure: failover,
    goalsOf: failoverGoals,
    minutes: ({ quick, kills = quick === true ? 5 : 100 }) => 0.5 + kills * MINUTES_A_KILL,
  },
};
