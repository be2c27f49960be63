/** The goals of the suite `cluster`: beside etcd, of two shards beside one, and of the leader beside a node that replicates nothing. */
import type { Operation } from "../cluster/client-messages.ts";
import type { Detail, MeasuredRow } from "../report/row.ts";
import { caseName, IN_FLIGHT, SUBJECTS } from "../suites/cluster.ts";
import { type Goal, type GoalsOf, ratioGoal, rowOf } from "./goal.ts";

type InFlight = (typeof IN_FLIGHT)[number];

/** How many times etcd's writes a second Khonsu's are to be, where many are in flight. */
const RATE = 10;
const MANY = [64, 256] as const;
const LATENCY = 0.5;
const TWO_SHARDS = 0.5;
const REPLICATED_PERCENT = 200 / 3;

export const clusterGoals: GoalsOf = ({ rows, details }) => [
  ...MANY.flatMap((inFlight) => rateGoal(rows, inFlight)),
  ...latencyGoal(rows),
  ...IN_FLIGHT.flatMap((inFlight) => twoShards(rows, inFlight)),
  ...replication(details),
];

function khonsu(rows: readonly MeasuredRow[], operation: Operation, inFlight: InFlight) {
  return rowOf(rows, caseName(operation, inFlight), SUBJECTS.khonsu);
}

function rateGoal(rows: readonly MeasuredRow[], inFlight: InFlight): Goal[] {
  const etcd = rowOf(rows, caseName("write", inFlight), SUBJECTS.etcd);
  if (etcd === undefined) return [];
  const goal = `writes a second, ${inFlight} in flight: at least ${RATE} × etcd's`;
  return [ratioGoal(goal, etcd.ratio_to_khonsu, { atLeast: RATE })];
}

function latencyGoal(rows: readonly MeasuredRow[]): Goal[] {
  const ours = khonsu(rows, "write", 1);
  const etcd = rowOf(rows, caseName("write", 1), SUBJECTS.etcd);
  if (ours === undefined || etcd === undefined) return [];
  const goal = `latency of a write, 1 in flight, median: at most ${LATENCY} × etcd's`;
  return [ratioGoal(goal, ours.p50_us / etcd.p50_us, { atMost: LATENCY })];
}

function twoShards(rows: readonly MeasuredRow[], inFlight: InFlight): Goal[] {
  const single = khonsu(rows, "write", inFlight);
  const both = khonsu(rows, "writeBoth", inFlight);
  if (single === undefined || both === undefined) return [];
  const goal = `writes of two shards a second, ${inFlight} in flight: at least ${TWO_SHARDS} × those of one`;
  return [ratioGoal(goal, both.ops_per_s / single.ops_per_s, { atLeast: TWO_SHARDS })];
}

/** Unreplicated, a write is one on a single node, or one in the embedded store, which has no network. */
function replication(details: readonly Detail[]): Goal[] {
  const leader = details.find((row) => Object.values(row).includes("three nodes: the leader"));
  if (leader === undefined) return [];
  const beside = (what: string, column: string): Goal => {
    const percent = Number(leader[column]);
    const goal = `writes a processor second on the leader: at least two thirds of ${what}`;
    return ratioGoal(goal, percent / 100, { atLeast: REPLICATED_PERCENT / 100 });
  };
  return [
    beside("those of one node that replicates nothing", "of one node %"),
    beside("those of the embedded store", "of embedded %"),
  ];
}
