import { expect, test } from "vitest";
import type { Configuration } from "../src/configuration.ts";
import { type ReplicaId, replicaId } from "../src/replica-id.ts";
import { Cluster, propose } from "./cluster.ts";

const ids = (...nodes: number[]): ReplicaId[] => nodes.map((node) => replicaId(node));
const group = (...nodes: number[]): Configuration => ({
  voters: ids(...nodes),
  learners: [],
  retired: [],
  quorums: "majority",
});

test("three replicas elect one leader and decide what is proposed anywhere", () => {
  const cluster = new Cluster();
  cluster.found(group(1, 2, 3));
  const ticks = cluster.tickUntil(() => cluster.leaders.length === 1);
  expect(ticks).toBeLessThanOrEqual(40);
  for (let i = 1; i <= 3; i++) propose(cluster, replicaId(i), i, 1, `from ${i}`);
  cluster.tick(5);
  expect(cluster.agreed().length).toBe(3);
  for (const node of cluster.nodes.values()) expect(node.applied.length).toBe(3);
});

test("all crash and come back with what was decided", () => {
  const cluster = new Cluster();
  cluster.found(group(1, 2, 3));
  cluster.tickUntil(() => cluster.leaders.length === 1);
  for (let i = 1; i <= 20; i++) propose(cluster, replicaId(2), 7, i, `c${i}`);
  cluster.tick(5);
  const before = cluster.agreed();
  expect(before.length).toBe(20);
  for (const id of ids(1, 2, 3)) cluster.crash(id);
  for (const id of ids(1, 2, 3)) cluster.restart(id);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  propose(cluster, replicaId(1), 8, 1, "after");
  cluster.tick(5);
  expect(cluster.agreed().slice(0, 20)).toEqual(before);
  expect(cluster.agreed().length).toBe(21);
});

test("PX-5 an answer to an accept of an earlier ballot, however late, is no vote for the present one", () => {
  const cluster = new Cluster();
  cluster.found(group(1, 2, 3));
  cluster.tickUntil(() => cluster.leaders.length === 1);
  cluster.tick(2);
  const { id: leader, replica } = cluster.leaders[0]!;
  const { ballot, decided } = replica.status();
  cluster.step(leader, {
    kind: "proposed",
    proposals: [{ client: 1, sequence: 1, command: Buffer.from("new") }],
  });
  cluster.flush(leader);
  const answer = (round: number) => ({
    kind: "accepted" as const,
    ballot: { ...ballot, round },
    through: replica.status().last,
    decided,
  });
  const from = ids(1, 2, 3).find((id) => id !== leader)!;
  cluster.step(leader, { kind: "received", from, to: leader, message: answer(ballot.round - 1) });
  expect(replica.status().decided).toBe(decided);
  cluster.step(leader, { kind: "received", from, to: leader, message: answer(ballot.round) });
  expect(replica.status().decided).toBe(decided + 1);
});
