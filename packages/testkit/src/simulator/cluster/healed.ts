// What must come once everything has healed, or all but one node: every group has a leader that the others follow, nothing stays in doubt,
// replicas at one index are in one state, and each node serves.

import { DIRECTORY_GROUP, stateHash } from "@khonsu/cluster";
import { isKhonsuError } from "@khonsu/core";
import { ensure, SimulationFailure } from "../failure.ts";
import { groupsOf } from "./surface.ts";
import type { TestCluster } from "./test-cluster.ts";

/** Virtual time for everything to come to rest, in milliseconds. */
const LIMIT_MS = 60_000;

export async function checkHealed(cluster: TestCluster): Promise<void> {
  const deadline = cluster.runtime.now() + LIMIT_MS;
  while (unrest(cluster) !== undefined) {
    if (cluster.runtime.now() > deadline)
      throw new SimulationFailure("liveness", "converge", unrest(cluster) ?? "");
    await cluster.runtime.elapse(100);
  }
  checkStates(cluster);
  for (const id of cluster.ids) if (cluster.isRunning(id)) await checkServes(cluster, id);
}

/** What is not at rest yet. */
function unrest(cluster: TestCluster): string | undefined {
  const groups = groupsOf(cluster);
  if (groups.length === 0) return "the directory is not known";
  const late = cluster.ids.find((id) => cluster.isRunning(id) && !cluster.isServing(id));
  if (late !== undefined) return `node ${late} does not know its cluster`;
  for (const { group, nodes } of groups) {
    const leader = cluster.leaderOf(group);
    if (leader === undefined) return `group ${group} has no leader`;
    const { decided } = cluster.logOf(leader, group)!.describe();
    for (const node of nodes.filter((id) => cluster.isRunning(id))) {
      const log = cluster.logOf(node, group);
      const status = log?.describe();
      if (status === undefined) return `node ${node} has not opened its replica of group ${group}`;
      if (status.applied !== decided)
        return `node ${node} has applied ${status.applied} of ${decided} in group ${group}: ${JSON.stringify(status)}`;
      const prepared = cluster.node(node).replicaOf(group)?.log.machine.preparedCount ?? 0;
      if (group !== DIRECTORY_GROUP && prepared > 0)
        return `${prepared} transactions are in doubt at shard ${group}, node ${node}`;
    }
  }
  return undefined;
}

/** Hard case 29, whatever came to each replica by entries and what by an image. */
function checkStates(cluster: TestCluster): void {
  for (const { group, nodes } of groupsOf(cluster)) {
    if (group === DIRECTORY_GROUP) continue;
    const states = nodes.flatMap((node) => {
      const replica = cluster.isRunning(node) ? cluster.node(node).replicaOf(group) : undefined;
      if (replica === undefined) return [];
      return [`${replica.consensus.status().applied} ${stateHash(replica.log.machine)}`];
    });
    ensure(new Set(states).size <= 1, "state-hash", () => `replicas of shard ${group}: ${states.join(", ")}`);
  }
}

async function checkServes(cluster: TestCluster, id: number): Promise<void> {
  const deadline = cluster.runtime.now() + LIMIT_MS;
  let last: unknown;
  while (cluster.runtime.now() < deadline) {
    const session = cluster.node(id).session();
    try {
      return await cluster.runtime.settle(
        session.transact((tx) => tx.ensure(`probe/${id}`), { maxRetries: 5 }),
        LIMIT_MS,
      );
    } catch (error) {
      if (!isKhonsuError(error)) throw error;
      // Nothing is written any more once timestamps have come to their limit, and that is told (TX-4).
      if (String(error.code) === "KHONSU_TIMESTAMP_LIMIT") return;
      last = error;
    }
  }
  throw new SimulationFailure("liveness", "serves", `node ${id} does not serve: ${last}`);
}
