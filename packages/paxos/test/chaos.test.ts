import { expect, test } from "vitest";
import type { Configuration } from "../src/configuration.ts";
import { Random } from "../src/random.ts";
import { type ReplicaId, replicaId } from "../src/replica-id.ts";
import { Cluster, propose } from "./cluster.ts";

/**
 * Short random runs with loss, repetition, reordering, cut links, crashes that lose unflushed writes, checkpoints and small windows;
 * then everything heals and must converge. The simulator of `@khonsu/testkit` does this at length; this is the first net.
 */
const IDS = [1, 2, 3].map((node) => replicaId(node));
const GROUP: Configuration = { voters: IDS, learners: [], retired: [], quorums: "majority" };
const RUNS = Number(process.env.KHONSU_CHAOS_RUNS ?? 60);
const FIRST = Number(process.env.KHONSU_SEED ?? 1);

function run(seed: number): { cluster: Cluster; proposed: number } {
  const random = new Random(seed);
  const cluster = new Cluster({
    batchEntriesMax: 4,
    inFlightEntriesMax: 8,
    checkpointEntries: 10 + random.below(30),
    retainEntries: random.below(8),
    chunkBytes: 64,
    sessionWindow: 64,
  });
  cluster.found(GROUP);
  const pick = (): ReplicaId => IDS[random.below(3)]!;
  let proposed = 0;
  for (let i = 0; i < 1500; i++) {
    const dice = random.below(100);
    if (dice < 50) cluster.deliver(random.below(Math.max(1, Math.min(cluster.network.length, 20))));
    else if (dice < 70) cluster.flush(pick(), 1 + random.below(3));
    else if (dice < 85) cluster.step(pick(), { kind: "tick" });
    else if (dice < 91) propose(cluster, pick(), 1, ++proposed, `c${proposed}`);
    else if (dice < 93) cluster.network.splice(random.below(20), 1);
    else if (dice < 95 && cluster.network.length > 0) {
      const envelope = cluster.network[random.below(cluster.network.length)]!;
      cluster.network.push(envelope);
    } else if (dice < 97) {
      const link = `${1 + random.below(3)}>${1 + random.below(3)}`;
      if (!cluster.cut.delete(link)) cluster.cut.add(link);
    } else if (dice < 98) {
      const id = pick();
      if (cluster.node(id).up) cluster.crash(id);
      else cluster.restart(id);
    } else if (dice < 99) cluster.step(pick(), { kind: "transferRequested", to: pick() });
    else if (!cluster.node(pick()).up) for (const id of IDS) if (!cluster.node(id).up) cluster.restart(id);
    if (cluster.network.length > 400) cluster.network.splice(0, 200);
    cluster.agreed();
  }
  return { cluster, proposed };
}

function heal(cluster: Cluster): void {
  cluster.cut.clear();
  for (const id of IDS) if (!cluster.node(id).up) cluster.restart(id);
  cluster.settle();
  cluster.tickUntil(() => cluster.leaders.length === 1);
  propose(cluster, IDS[0]!, 2, 1, "last");
  cluster.tickUntil(
    () => [...cluster.nodes.values()].every((node) => node.applied.some(({ command }) => command === "last")),
    400,
  );
}

function describe(cluster: Cluster | undefined): string {
  return [...(cluster?.nodes.values() ?? [])]
    .map(({ replica }) => JSON.stringify(replica.status()))
    .join("\n");
}

test(`random faults, then convergence: seeds ${FIRST} to ${FIRST + RUNS - 1}`, () => {
  let last: Cluster | undefined;
  for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
    try {
      const { cluster } = run(seed);
      last = cluster;
      heal(cluster);
      const commands = cluster.agreed().map((item) => item.split(":")[1]);
      expect(new Set(commands).size, "each command is applied once").toBe(commands.length);
      const chains = new Map(
        [...cluster.nodes.values()].map(({ replica }) => [replica.status().chainAt, replica.status().chain]),
      );
      for (const { replica } of cluster.nodes.values())
        expect(chains.get(replica.status().chainAt)).toBe(replica.status().chain);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}\n${describe(last)}`, { cause: error });
    }
  }
});
