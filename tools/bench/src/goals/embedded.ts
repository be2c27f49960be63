/** The goals of the suites of the embedded store: `core` and `durable` beside their peers, `growth` beside itself. */
import type { MeasuredRow } from "../report/row.ts";
import { type Goal, type GoalsOf, ratioGoal, rowOf } from "./goal.ts";

const CORE_CASE = "2 reads + 2 writes";
const CORE_PEERS = [
  ["effect", "Effect's", 20],
  ["lmdb synchronous", "lmdb's synchronous ones", 10],
  ["node:sqlite", "those of node:sqlite in memory", 10],
  ["plain Map", "what a plain Map does without any", 1 / 8],
] as const;
/** What a growth curve may grow by and still count as flat. */
const FLAT = 1.25;
const LIMIT = 1.3;

/** By `transact`; what a transaction by hand reaches stands beside it. */
export const coreGoals: GoalsOf = ({ rows }) => {
  const byHand = rowOf(rows, CORE_CASE, "khonsu serializable, begin");
  return CORE_PEERS.flatMap(([subject, spoken, bound]): Goal[] => {
    const peer = rowOf(rows, CORE_CASE, subject);
    if (peer === undefined || byHand === undefined) return [];
    const least = bound < 1 ? `1/${1 / bound} of` : `${bound} ×`;
    const goal = `transactions a second: at least ${least} ${spoken}`;
    const made = ratioGoal(goal, peer.ratio_to_khonsu, { atLeast: bound });
    const ratio = Number((byHand.ops_per_s / peer.ops_per_s).toPrecision(3));
    return [{ ...made, figure: `${made.figure}; by hand ${ratio} ×` }];
  });
};

export const durableGoals: GoalsOf = ({ rows }) => {
  const alone = "commit of one write, 1 caller";
  const [ours, limit] = [rowOf(rows, alone, "khonsu"), rowOf(rows, alone, "fdatasync")];
  const goals: Goal[] = [];
  if (ours !== undefined && limit !== undefined) {
    const goal = `latency with 1 caller, median: at most ${LIMIT} × that of fdatasync`;
    goals.push(ratioGoal(goal, ours.p50_us / limit.p50_us, { atMost: LIMIT }));
  }
  const many = rows.filter((row) => row.case.startsWith("commit of one write, 256 callers"));
  const peers = many.filter((row) => !/^(khonsu|fdatasync)/.test(row.subject));
  return [...goals, ...peers.map(aheadOf)];
};

function aheadOf(peer: MeasuredRow): Goal {
  const goal = `commits a second with 256 callers: more than ${peer.subject}`;
  return ratioGoal(goal, peer.ratio_to_khonsu, { atLeast: 1 });
}

/** The first subject of a case is the small one, the last the largest. */
export const growthGoals: GoalsOf = ({ rows }) => {
  const byCase = Map.groupBy(rows, (row) => row.case);
  return [...byCase].flatMap(([name, own]): Goal[] => {
    const largest = own.at(-1)!;
    if (own.length < 2 || name.includes("plain Map")) return [];
    const goal = `${name}, ${own[0]!.subject} to ${largest.subject}: cost flat, grown by at most ${FLAT} ×`;
    return [ratioGoal(goal, largest.ratio_to_khonsu, { atMost: FLAT })];
  });
};
