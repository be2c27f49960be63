/**
 * A leader that was replaced and does not know it reaches a replica that has learned what was decided since, and has promised nothing
 * higher. Its accept is no sign of two histories: the replica goes on, and keeps what is decided (PX-1).
 */
import { expect, test } from "vitest";
import type { Configuration } from "../src/configuration.ts";
import { nodeOf, type ReplicaId, replicaId } from "../src/replica-id.ts";
import { Cluster, propose } from "./cluster.ts";

const IDS = [1, 2, 3, 4, 5].map((node) => replicaId(node));
const GROUP: Configuration = { voters: IDS, learners: [], retired: [], quorums: "majority" };

function setLinks(cluster: Cluster, of: ReplicaId, up: boolean): void {
  for (const id of IDS) {
    for (const link of [`${nodeOf(of)}>${nodeOf(id)}`, `${nodeOf(id)}>${nodeOf(of)}`]) {
      if (up) cluster.cut.delete(link);
      else cluster.cut.add(link);
    }
  }
}

/** Ticks for those alone, until something holds. */
function tick(cluster: Cluster, ids: readonly ReplicaId[], until: () => boolean): void {
  for (let ticks = 0; !until(); ticks++) {
    expect(ticks).toBeLessThan(500);
    for (const id of ids) cluster.step(id, { kind: "tick" });
    cluster.settle();
  }
}

test("PX-1 a late accept of a replaced leader, at a replica that has learned the slot from a peer, is no contradiction", () => {
  const cluster = new Cluster();
  cluster.found(GROUP);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  cluster.tick(5);
  const old = cluster.leaders[0]!.id;
  const [learner, ...voters] = IDS.filter((id) => id !== old) as [ReplicaId, ...ReplicaId[]];

  // The leader proposes "old" and is cut off; its accept to one of the others is on its way.
  setLinks(cluster, old, false);
  propose(cluster, old, 1, 1, "old");
  const late = cluster.network.filter(({ message, to }) => message.kind === "accept" && to === learner);
  expect(late).toHaveLength(1);
  setLinks(cluster, learner, false);
  cluster.settle();

  // Three others decide "new" in that slot. The one that was away fetches it, while all that would raise its promise is lost.
  const next = () => cluster.leaders.find(({ id }) => voters.includes(id));
  tick(cluster, voters, () => next() !== undefined);
  propose(cluster, next()!.id, 2, 1, "new");
  cluster.settle();
  setLinks(cluster, learner, true);
  const { deliver } = cluster;
  cluster.deliver = (index = 0) => {
    const { to, message } = cluster.network[index]!;
    if (to === learner && ["prepare", "accept", "confirm"].includes(message.kind))
      cluster.network.splice(index, 1);
    else deliver.call(cluster, index);
  };
  tick(cluster, [...voters, learner], () => cluster.node(learner).applied.length > 0);
  const { promised } = cluster.node(learner).replica.status();
  expect(promised.replica).toBe(old);

  for (const { from, to, message } of late) cluster.step(learner, { kind: "received", from, to, message });
  cluster.deliver = deliver;
  for (const id of IDS) setLinks(cluster, id, true);
  cluster.tickUntil(() => [...cluster.nodes.values()].every(({ applied }) => applied.length === 2));
  expect(cluster.agreed().map((item) => item.split(":")[1])).toEqual(["new", "old"]);
});
