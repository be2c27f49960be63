/** What the suite `failover` is asked for: a hundred kills of the leader, beside etcd's. There is no bound. */
import type { Goal, GoalsOf } from "./goal.ts";

const KILLS = 100;

export const failoverGoals: GoalsOf = ({ details }): Goal[] => {
  const figures = details.map(
    (row) => `${row.subject}: median ${row["median pause ms"]} ms, worst ${row["worst pause ms"]} ms`,
  );
  const kills = Math.min(...details.map((row) => Number(row.kills)));
  const goal = `pauses of a client over ${KILLS} kills of the leader, beside etcd's, measured`;
  return [{ goal, figure: figures.join("; "), isMet: details.length > 1 && kills >= KILLS }];
};
