/** What must hold at the end, looked at through every node: nothing acknowledged is lost, nothing is there twice or in part. */
import type { CommitTimestamp } from "@khonsu/core";
import { connectCluster } from "@khonsu/transport-connect";
import type { NodeStatus } from "../../node/node-status.ts";
import { type Check, check } from "../check.ts";
import { areEqual, type Totals } from "../flights.ts";
import { sizesAfter } from "../move-log.ts";
import { describe } from "../traffic.ts";
import type { DemoCluster } from "./demo-cluster.ts";
import { type Inspection, inspect } from "./inspect.ts";
import { persistently } from "./persistently.ts";
import type { Traffic } from "./traffic.ts";

export interface Expected {
  readonly totals: Totals;
  readonly sizes: readonly number[];
  /** What any client has seen: every node must show at least that. */
  readonly observed: CommitTimestamp;
}

/** @returns the checks of each node, after all of them have applied the same. */
export async function verify(cluster: DemoCluster, traffic: Traffic, expected: Expected): Promise<Check[]> {
  const statuses = await cluster.until("all replicas have applied the same", isSettled);
  const inDoubt = statuses
    .flatMap(({ shards }) => shards)
    .reduce((sum, { here }) => sum + (here?.inDoubt ?? 0), 0);
  const checks = [
    check(
      "All replicas of each shard have applied the same entries, and none is behind",
      isSettled(statuses),
      "",
    ),
    check("No transaction is left in doubt", inDoubt === 0, `${inDoubt} are`),
  ];
  for (const { node, address } of cluster.nodes) {
    await using client = await connectCluster({ addresses: [address] });
    const session = client.session();
    session.observe(expected.observed);
    const seen = await persistently(() => inspect(session));
    checks.push(
      check(
        `Through node ${node}: it is this node that was asked`,
        client.address === address,
        String(client.address),
      ),
      ...checksOf(`Through node ${node}: `, seen, traffic, expected),
    );
  }
  return checks;
}

function checksOf(where: string, seen: Inspection, traffic: Traffic, { totals, sizes }: Expected): Check[] {
  const acknowledged = new Set(traffic.acknowledged.map(({ move }) => move.id));
  const there = seen.moves.map(({ id }) => id);
  const lost = [...acknowledged].filter((id) => !there.includes(id)).length;
  const foreign = there.filter((id) => !acknowledged.has(id) && !traffic.unresolved.has(id)).length;
  const twice = there.length - new Set(there).size;
  const accounted = sizesAfter(sizes, seen.moves);
  const torn = seen.sizes.filter((size, slot) => size !== accounted[slot]).length;
  return [
    check(
      `${where}all flights and both checksums are there`,
      areEqual(seen.totals, totals),
      describe(seen.totals),
    ),
    check(
      `${where}every acknowledged move is there, once`,
      lost === 0 && twice === 0,
      `${lost} lost, ${twice} twice`,
    ),
    check(`${where}nothing is there that was told to have failed`, foreign === 0, `${foreign} moves are`),
    check(`${where}the logs account for the size of every slot`, torn === 0, `${torn} slots differ`),
  ];
}

function isSettled(statuses: readonly NodeStatus[]): boolean {
  const applied = new Map<number, number>();
  return statuses.every(
    ({ ready, shards }) =>
      ready &&
      shards.every(({ shard, here }) => {
        if (here === null || here.lag > 0 || here.inDoubt > 0) return false;
        const other = applied.get(shard) ?? here.applied;
        applied.set(shard, other);
        return other === here.applied;
      }),
  );
}
