// What holds of members and replicas once everything has healed and come to rest (docs/spec/placement.md).

import { isDeepStrictEqual } from "node:util";
import { stateHash } from "@khonsu/cluster";
import { ensure } from "../failure.ts";
import type { TestCluster } from "./test-cluster.ts";

/** Whether no replica is on its way, lost, missing or too many, and every node knows it. */
export function isAtRest(cluster: TestCluster): boolean {
  const [first, ...others] = cluster.members.map(({ directory }) => directory.state);
  if (first === undefined || others.some((state) => state?.version !== first.version)) return false;
  const active = [...first.members.values()].filter(({ state }) => state === "active").length;
  for (const { group, move, replicas } of first.groups.values()) {
    if (move !== undefined) return false;
    if (group < first.shardCount && replicas.length !== Math.min(first.replicas, active)) return false;
    for (const replica of replicas) {
      const member = first.members.get(replica.node);
      if (member?.state !== "active" || replica.incarnation < member.incarnation) return false;
      if (!cluster.isRunning(replica.node)) return false;
      const { voters, learners } = cluster.member(replica.node).consensusOf(group)?.admin?.membership() ?? {};
      if (!isDeepStrictEqual(voters, replicas) || learners?.length !== 0) return false;
    }
  }
  return [...first.members.values()].every(({ state }) => state !== "leaving");
}

/** Checks a cluster that is at rest. @throws SimulationFailure of safety */
export function checkMembers(cluster: TestCluster): void {
  const states = cluster.members.map(({ directory }) => directory.state!);
  for (const state of states) {
    ensure(
      isDeepStrictEqual(state, states[0]),
      "PL-3",
      () => `directories of version ${state.version} differ`,
    );
  }
  for (const member of cluster.members) checkRecord(member.record.current.node, cluster);
}

/** A node has what the directory gives it, and nothing else: neither in its record nor on its disk. */
function checkRecord(node: number, cluster: TestCluster): void {
  const given = [...cluster.directory.state!.groups.values()].filter(({ replicas }) =>
    replicas.some((replica) => replica.node === node),
  );
  const expected = given.map(({ group }) => group).sort((a, b) => a - b);
  const recorded = cluster.member(node).record.current.replicas.map(({ group }) => group);
  ensure(
    JSON.stringify(recorded.sort((a, b) => a - b)) === JSON.stringify(expected),
    "PL-10",
    () => `node ${node} remembers ${recorded}, given are ${expected}`,
  );
  const stored = cluster.groupsOnDisk(node);
  ensure(
    JSON.stringify(stored) === JSON.stringify(expected),
    "PL-10",
    () => `node ${node} has data of ${stored}, given are ${expected}`,
  );
}

/** Replicas of a shard that have applied the same entries are in the same state, and nothing stays in doubt. */
export function checkShards(cluster: TestCluster): void {
  for (let shard = 0; shard < cluster.placement.shardCount; shard++) {
    const hashes = new Map<number, number>();
    for (const node of cluster.running) {
      const replica = node.replicaOf(shard);
      if (replica === undefined) continue;
      const { machine } = replica.log;
      ensure(
        machine.preparedCount === 0,
        "in-doubt",
        () => `shard ${shard} holds ${machine.preparedCount} prepared`,
      );
      const { applied } = replica.consensus.status();
      const hash = stateHash(machine);
      const other = hashes.get(applied) ?? hash;
      ensure(
        hash === other,
        "state-hash",
        () => `replicas of shard ${shard} differ at ${applied}: ${hash} and ${other}`,
      );
      hashes.set(applied, hash);
    }
  }
}
