import { expect, test } from "vitest";
import type { Configuration } from "../src/configuration.ts";
import { Random } from "../src/random.ts";
import { type ReplicaId, replicaId } from "../src/replica-id.ts";
import { NO_SLOT } from "../src/slot.ts";
import { Cluster, propose } from "./cluster.ts";

/** Four election timeouts of ten ticks. */
const BOUND_TICKS = 40;

const idsOf = (size: number): ReplicaId[] => Array.from({ length: size }, (_, i) => replicaId(i + 1));

function found(size: number): Cluster {
  const cluster = new Cluster();
  const configuration: Configuration = {
    voters: idsOf(size),
    learners: [],
    retired: [],
    quorums: "majority",
  };
  cluster.found(configuration);
  return cluster;
}

function linksOf(size: number): [number, number][] {
  const nodes = Array.from({ length: size }, (_, i) => i + 1);
  return nodes.flatMap((a) => nodes.filter((b) => b > a).map((b): [number, number] => [a, b]));
}

/** Leaves the links whose bit is set. */
function cut(cluster: Cluster, size: number, graph: number): number[] {
  const degree = new Array<number>(size + 1).fill(1);
  linksOf(size).forEach(([a, b], i) => {
    if ((graph & (1 << i)) !== 0) {
      degree[a]!++;
      degree[b]!++;
    } else {
      cluster.cut.add(`${a}>${b}`);
      cluster.cut.add(`${b}>${a}`);
    }
  });
  return degree;
}

/** A leader that can decide: it has just done so. */
function serves(cluster: Cluster, sequence: number): boolean {
  for (const { id } of cluster.leaders) propose(cluster, id, 100 + id, sequence, `${id}/${sequence}`);
  cluster.tick(1);
  return cluster.leaders.some(({ applied, id }) =>
    applied.some(({ command }) => command === `${id}/${sequence}`),
  );
}

function check(size: number, graph: number, first: ReplicaId): void {
  const cluster = found(size);
  cluster.step(first, { kind: "tick", ticks: 1 });
  cluster.tickUntil(() => cluster.leaders.length === 1);
  const degree = cut(cluster, size, graph);
  if (!degree.some((reached) => reached > size / 2)) return;
  let ticks = 0;
  while (!serves(cluster, ++ticks))
    expect(ticks, `graph ${graph} of ${size}`).toBeLessThanOrEqual(BOUND_TICKS);
  cluster.tick(BOUND_TICKS);
  const settled = cluster.leaders.map(({ replica }) => replica.status().ballot);
  cluster.tick(3 * BOUND_TICKS);
  const later = cluster.leaders.map(({ replica }) => replica.status().ballot);
  expect(later, `graph ${graph} of ${size}: the leader changed though nothing else did`).toEqual(settled);
  expect(serves(cluster, 1000), `graph ${graph} of ${size}`).toBe(true);
  cluster.agreed();
}

test("PX-16 in every network of four in which somebody reaches a quorum, a leader serves within four election timeouts, and stays", () => {
  for (let graph = 0; graph < 1 << linksOf(4).length; graph++) check(4, graph, replicaId(1));
});

test("PX-16 the same in networks of five, drawn at random", { timeout: 60_000 }, () => {
  const random = new Random(5);
  for (let i = 0; i < 60; i++) check(5, random.below(1 << linksOf(5).length), replicaId(1 + random.below(5)));
});

test("PX-16 where all voters are there and nobody leads, one is elected as soon as all have said so", () => {
  const cluster = found(3);
  // Half an election timeout until the first round begins, and answers that come within a tick.
  cluster.tick(5 + 2);
  expect(cluster.leaders).toHaveLength(1);
});

test("PX-16 the replica of the highest priority that can lead wins the first election, and the next", () => {
  const cluster = new Cluster();
  const voters = idsOf(5);
  const configuration: Configuration = { voters, learners: [], retired: [], quorums: "majority" };
  const priorities = [1, 4, 2, 5, 3];
  voters.forEach((id, i) => {
    cluster.add(id, { kind: "found", configuration }, { priority: priorities[i]! });
  });
  const leads = (node: number) => () =>
    cluster.leaders.length === 1 && cluster.leaders[0]!.id === replicaId(node);
  expect(cluster.tickUntil(leads(4), BOUND_TICKS)).toBeLessThanOrEqual(BOUND_TICKS);
  cluster.tick(10);
  cluster.crash(replicaId(4));
  expect(cluster.tickUntil(leads(2), BOUND_TICKS)).toBeLessThanOrEqual(BOUND_TICKS);
});

test("PX-2 a candidate asks nobody before its ballot is durable; once it is, it never makes it again", () => {
  const cluster = found(3);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  const candidate = idsOf(3).find((id) => id !== cluster.leaders[0]!.id)!;
  const campaign = () => {
    const { promised: ballot } = cluster.node(candidate).replica.status();
    const message = { kind: "takeOver", ballot, through: NO_SLOT } as const;
    cluster.step(candidate, { kind: "received", from: cluster.leaders[0]!.id, to: candidate, message });
    return cluster.node(candidate).replica.status().ballot;
  };
  const asked = () => cluster.network.filter(({ message }) => message.kind === "prepare").length;
  const again = () => {
    cluster.crash(candidate);
    cluster.restart(candidate);
  };
  const first = campaign();
  expect(asked()).toBe(0);
  again();
  // It was never durable, and nobody has seen it: it may be made again.
  expect(campaign()).toEqual(first);
  cluster.flush(candidate);
  expect(asked()).toBe(2);
  again();
  expect(campaign().round).toBeGreaterThan(first.round);
});

test("PX-16 a voter that came back with an empty disk and knows no configuration keeps nobody from leading", () => {
  const cluster = found(3);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  const leader = cluster.leaders[0]!.id;
  const [lost] = idsOf(3).filter((id) => id !== leader);
  // Against the driver's duties: its former identity, so that it may not vote, and finds out too late.
  cluster.add(lost!, { kind: "join" });
  cluster.tickUntil(() => cluster.node(lost!).replica.status().leader === leader);
  cluster.crash(leader);
  cluster.tick(5);
  cluster.restart(leader);
  expect(cluster.tickUntil(() => cluster.leaders.length === 1, BOUND_TICKS)).toBeLessThanOrEqual(BOUND_TICKS);
});

test("PX-16 while the leader is heard only it asks: a ping and a pong a follower and round", () => {
  const cluster = found(3);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  // Two rounds, in which those that asked before come to listen.
  cluster.tick(10);
  const asked = new Map<ReplicaId, number>();
  const step = cluster.step.bind(cluster);
  cluster.step = (id, input) => {
    if (input.kind === "received" && input.message.kind === "ping")
      asked.set(input.from, (asked.get(input.from) ?? 0) + 1);
    return step(id, input);
  };
  cluster.tick(50);
  expect([...asked]).toEqual([[cluster.leaders[0]!.id, 2 * 10]]);
});

test("PX-16 after a crash of the leader another leads within little more than an election timeout", () => {
  for (let seed = 0; seed < 100; seed++) {
    const cluster = new Cluster();
    const voters = idsOf(3);
    const configuration: Configuration = { voters, learners: [], retired: [], quorums: "majority" };
    voters.forEach((id, i) => {
      cluster.add(id, { kind: "found", configuration }, { seed: 31 * seed + 7 * i });
    });
    cluster.tickUntil(() => cluster.leaders.length === 1);
    cluster.tick(20 + (seed % 10));
    cluster.crash(cluster.leaders[0]!.id);
    const ticks = cluster.tickUntil(() => cluster.leaders.length === 1);
    expect(ticks, `seed ${seed}`).toBeLessThanOrEqual(12);
  }
});
