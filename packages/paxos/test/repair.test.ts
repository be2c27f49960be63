import { expect, test } from "vitest";
import type { Configuration } from "../src/configuration.ts";
import type { Envelope } from "../src/message.ts";
import type { ReplicaOptions } from "../src/options.ts";
import { nodeOf, type ReplicaId, replicaId } from "../src/replica-id.ts";
import type { Slot } from "../src/slot.ts";
import { Cluster, propose } from "./cluster.ts";

const IDS = [1, 2, 3].map((node) => replicaId(node));
const [ONE, TWO] = IDS as [ReplicaId, ReplicaId, ReplicaId];
const GROUP: Configuration = { voters: IDS, learners: [], retired: [], quorums: "majority" };

function running(commands: number, options: Partial<ReplicaOptions> = {}): Cluster {
  const cluster = new Cluster(options);
  cluster.found(GROUP);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  for (let i = 1; i <= commands; i++) propose(cluster, cluster.leaders[0]!.id, 1, i, `c${i}`);
  cluster.tick(5);
  return cluster;
}

function restartDamaged(cluster: Cluster, id: ReplicaId, damage: (at: Slot) => boolean): void {
  cluster.crash(id);
  cluster.restart(id, {}, (recovered) => ({
    ...recovered,
    entries: recovered.entries.map((item) => {
      if (!damage(item.slot) || item.entry?.kind !== "command") return item;
      // A flipped bit, as a read would return it: the checksum tells.
      return {
        ...item,
        entry: { ...item.entry, command: item.entry.command.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) },
      };
    }),
  }));
}

const caughtUp = (cluster: Cluster, id: ReplicaId) => () =>
  cluster.node(id).applied.length ===
  Math.max(...[...cluster.nodes.values()].map(({ applied }) => applied.length));

test("PX-13 PX-14 entries that rot on different replicas are repaired from the others, also with no proposal", () => {
  const cluster = running(9);
  const before = cluster.agreed();
  for (const id of IDS) restartDamaged(cluster, id, (at) => at % 3 === id % 3);
  for (const id of IDS) cluster.tickUntil(caughtUp(cluster, id), 100);
  cluster.tick(20);
  expect(cluster.agreed()).toEqual(before);
  for (const node of cluster.nodes.values()) expect(node.applied.length).toBe(9);
  for (const { replica } of cluster.nodes.values()) expect(replica.status().doubtful).toEqual([]);
});

test("PX-13 an entry read from the wrong place is found", () => {
  const cluster = running(6);
  const before = cluster.agreed();
  cluster.crash(TWO);
  cluster.restart(TWO, {}, (recovered) => {
    const [first, second, ...rest] = recovered.entries;
    return {
      ...recovered,
      entries: [{ ...first!, entry: second!.entry }, { ...second!, entry: first!.entry }, ...rest],
    };
  });
  cluster.tickUntil(caughtUp(cluster, TWO));
  expect(cluster.agreed()).toEqual(before);
});

test("an image that cannot be read is fetched from a peer, and the replica goes on voting meanwhile", () => {
  const cluster = running(12, { checkpointEntries: 5, retainEntries: 0 });
  const before = cluster.agreed();
  cluster.crash(TWO);
  cluster.restart(TWO, {}, (recovered) => ({ ...recovered, preface: undefined }));
  expect(cluster.node(TWO).replica.status()).toMatchObject({ applied: 0, checkpoint: 0 });
  cluster.tickUntil(caughtUp(cluster, TWO));
  expect(cluster.agreed()).toEqual(before);
  expect(cluster.node(TWO).replica.status().checkpoint).toBeGreaterThan(0);
});

test("PX-13 a replica whose history differs stops instead of going on", () => {
  const cluster = running(3);
  const status = cluster.node(ONE).replica.status();
  const standing = {
    leading: status.promised,
    promised: status.promised,
    healthy: true,
    electable: true,
    stalled: false,
  };
  const lie = { ...standing, priority: 0, decided: status.decided, chain: status.chain + 1 };
  const message = { kind: "ping", round: 1, standing: lie } as const;
  const effects = cluster.step(ONE, { kind: "received", from: TWO, to: ONE, message });
  expect(effects).toEqual([expect.objectContaining({ kind: "fenced", code: "KHONSU_LOG_DIVERGED" })]);
  expect(cluster.step(ONE, { kind: "tick" })).toEqual([]);
});

test("PX-13 a disk that gives back another history than was decided is refused", () => {
  const cluster = running(3);
  cluster.crash(TWO);
  cluster.restart(TWO, {}, (recovered) => ({ ...recovered, chain: recovered.chain + 1 }));
  expect(cluster.node(TWO).effects.at(-1)).toMatchObject({ kind: "fenced", code: "KHONSU_STORAGE_CORRUPT" });
});

test("PX-10 an image is fetched in pieces, and after a crash from where it broke off", () => {
  const cluster = running(0, { checkpointEntries: 5, retainEntries: 0, chunkBytes: 50 });
  const leader = cluster.leaders[0]!.id;
  const laggard = IDS.find((id) => id !== leader)!;
  cluster.crash(laggard);
  for (let i = 1; i <= 30; i++) propose(cluster, leader, 1, i, `c${i}`);
  cluster.tick(5);
  cluster.restart(laggard);
  const offsets: number[] = [];
  const note = ({ message, to }: Envelope) => {
    if (message.kind === "chunk" && to === laggard) offsets.push(message.offset);
  };
  cluster.onDeliver = note;
  for (let ticks = 0; offsets.length < 4; ticks++) {
    expect(ticks).toBeLessThan(100);
    for (const id of IDS) cluster.step(id, { kind: "tick" });
    for (let i = 0; i < 40 && offsets.length < 4; i++) {
      for (const id of IDS) cluster.flush(id);
      cluster.deliver();
    }
  }
  cluster.flush(laggard);
  cluster.crash(laggard);
  cluster.restart(laggard);
  offsets.length = 0;
  cluster.tickUntil(caughtUp(cluster, laggard));
  expect(offsets[0]).toBe(200);
  expect(cluster.node(laggard).applied.length).toBe(30);
});

test("a promise longer than a message comes in parts, and nothing of it is lost", () => {
  const cluster = running(0, { batchEntriesMax: 2, inFlightEntriesMax: 64 });
  const leader = cluster.leaders[0]!.id;
  const [second, third] = IDS.filter((id) => id !== leader) as [ReplicaId, ReplicaId];
  for (let i = 1; i <= 15; i++) propose(cluster, leader, 1, i, `c${i}`);
  // Replica `second` alone gets the entries, and nobody hears that it did.
  while (cluster.network.some(({ message, to }) => message.kind === "accept" && to === second)) {
    cluster.deliver(
      cluster.network.findIndex(({ message, to }) => message.kind === "accept" && to === second),
    );
  }
  cluster.flush(second);
  cluster.network = [];
  cluster.crash(leader);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  cluster.tick(10);
  expect(cluster.agreed().length).toBe(15);
  expect(cluster.node(third).applied.map(({ command }) => command)).toEqual(
    cluster.node(second).applied.map(({ command }) => command),
  );
});

test("a storage failure fences the replica, and says so once", () => {
  const cluster = running(1);
  const effects = cluster.step(TWO, { kind: "storageFailed", message: "the disk is gone" });
  expect(effects).toEqual([{ kind: "fenced", code: "KHONSU_STORAGE_FAILED", message: "the disk is gone" }]);
  expect(cluster.step(TWO, { kind: "tick" })).toEqual([]);
  expect(cluster.node(TWO).replica.status()).toMatchObject({
    role: "fenced",
    fencedBecause: "the disk is gone",
  });
});

test("PX-10 an image that is not on disk yet is offered to nobody, and nobody asks for it without end", () => {
  const five = [1, 2, 3, 4, 5].map((node) => replicaId(node));
  const cluster = new Cluster({ checkpointEntries: 5, retainEntries: 0 });
  cluster.found({ ...GROUP, voters: five });
  cluster.tickUntil(() => cluster.leaders.length === 1);
  const leader = cluster.leaders[0]!.id;
  const [installing, behind, ...others] = five.filter((id) => id !== leader) as [ReplicaId, ReplicaId];
  const isolate = (id: ReplicaId, from: readonly ReplicaId[]) => {
    for (const other of from)
      cluster.cut.add(`${nodeOf(id)}>${nodeOf(other)}`).add(`${nodeOf(other)}>${nodeOf(id)}`);
  };
  for (const id of [installing, behind])
    isolate(
      id,
      five.filter((other) => other !== id),
    );
  for (let i = 1; i <= 12; i++) propose(cluster, leader, 1, i, `c${i}`);
  cluster.tick(5);
  cluster.cut.clear();
  isolate(behind, [leader, ...others]);
  // It receives the image from the others, and cannot write it; only it can be reached from the one that is behind.
  cluster.stalled.add(installing);
  const offers: number[] = [];
  cluster.onDeliver = ({ from, message }) => {
    if (message.kind === "checkpointOffer" && from === installing) offers.push(message.checkpoint.slot);
  };
  cluster.tickUntil(() => cluster.node(installing).replica.status().checkpoint > 0);
  cluster.tick(10);
  expect(cluster.node(installing).disk.images.size).toBe(0);
  expect(offers).toEqual([]);
  cluster.stalled.clear();
  cluster.tickUntil(caughtUp(cluster, behind));
  expect(offers.length).toBeGreaterThan(0);
});
