import { expect, test } from "vitest";
import type { Configuration } from "../src/configuration.ts";
import type { Effect, EffectKind, EffectOf } from "../src/effect.ts";
import type { ReplicaOptions } from "../src/options.ts";
import { replicaId } from "../src/replica-id.ts";
import { Cluster, propose } from "./cluster.ts";

const IDS = [1, 2, 3].map((node) => replicaId(node));
const GROUP: Configuration = { voters: IDS, learners: [], retired: [], quorums: "majority" };

function withLeader(options: Partial<ReplicaOptions>) {
  const cluster = new Cluster(options);
  cluster.found(GROUP);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  cluster.tick(2);
  const leader = cluster.leaders[0]!.id;
  const [follower, other] = IDS.filter((id) => id !== leader);
  return { cluster, leader, follower: follower!, other: other! };
}

function of<K extends EffectKind>(kind: K, effects: readonly Effect[]): EffectOf<K>[] {
  return effects.filter((effect): effect is EffectOf<K> => effect.kind === kind);
}

const proposals = (count: number, from = 1) =>
  Array.from({ length: count }, (_, i) => ({
    client: 1,
    sequence: from + i,
    command: Buffer.from(`c${from + i}`),
  }));

test("PX-20 the leader takes what fits in flight and in its queue, and refuses the rest with a retryable error", () => {
  const { cluster, leader } = withLeader({ inFlightEntriesMax: 4, queueEntriesMax: 3, batchEntriesMax: 2 });
  cluster.cut.add(`${leader}`);
  // The queue is filled before the step proposes from it.
  const effects = cluster.step(leader, { kind: "proposed", proposals: proposals(3) });
  const more = cluster.step(leader, { kind: "proposed", proposals: proposals(9, 4) });
  expect(of("proposalRefused", effects)).toEqual([]);
  const refused = of("proposalRefused", more);
  expect(refused.map(({ proposal }) => proposal.sequence)).toEqual([7, 8, 9, 10, 11, 12]);
  for (const { refusal } of refused)
    expect(refusal).toMatchObject({ code: "KHONSU_OVERLOADED", retryable: true });
  expect(cluster.node(leader).replica.status()).toMatchObject({ inFlight: 4, proposalsQueued: 2 });
  cluster.settle();
  expect(cluster.node(leader).applied.map(({ command }) => command)).toEqual([
    "c1",
    "c2",
    "c3",
    "c4",
    "c5",
    "c6",
  ]);
});

test("PX-20 batches are bounded in entries and in bytes", () => {
  const { cluster, leader } = withLeader({ batchEntriesMax: 3, batchBytesMax: 10 });
  const effects = cluster.step(leader, { kind: "proposed", proposals: proposals(7) });
  const accepts = of("send", effects).flatMap(({ envelope: { message } }) =>
    message.kind === "accept" ? [message] : [],
  );
  expect(accepts.length).toBeGreaterThan(0);
  for (const { entries } of accepts) {
    expect(entries.length).toBeLessThanOrEqual(3);
    expect(
      entries.reduce((sum, entry) => sum + (entry.kind === "command" ? entry.command.length : 0), 0),
    ).toBeLessThanOrEqual(10);
  }
  const large = cluster.step(leader, {
    kind: "proposed",
    proposals: [{ client: 2, sequence: 1, command: new Uint8Array(11) }],
  });
  expect(of("proposalRefused", large)[0]?.refusal).toMatchObject({
    code: "KHONSU_COMMAND_TOO_LARGE",
    retryable: false,
  });
});

test("PX-20 a follower bounds what it forwards and the reads that wait; without forwarding it names the leader", () => {
  const { cluster, follower } = withLeader({ forwardedMax: 2, readsMax: 2 });
  const effects = cluster.step(follower, { kind: "proposed", proposals: proposals(3) });
  expect(
    of("proposalRefused", effects).map(({ proposal, refusal }) => [proposal.sequence, refusal.code]),
  ).toEqual([[3, "KHONSU_OVERLOADED"]]);
  const reads = [1, 2, 3].map((id) => cluster.step(follower, { kind: "readRequested", id }));
  expect(reads.map((step) => of("readRefused", step).map(({ refusal }) => refusal.code))).toEqual([
    [],
    [],
    ["KHONSU_OVERLOADED"],
  ]);
  const strict = withLeader({ forward: false });
  const [refused] = of(
    "proposalRefused",
    strict.cluster.step(strict.follower, { kind: "proposed", proposals: proposals(1) }),
  );
  expect(refused?.refusal).toMatchObject({
    code: "KHONSU_NOT_LEADER",
    retryable: true,
    leader: strict.leader,
  });
});

test("PX-20 a forwarded proposal that is not decided in time is given up as unknown, and may be tried again", () => {
  const { cluster, follower, leader, other } = withLeader({ proposalTimeoutTicks: 20 });
  cluster.crash(leader);
  cluster.crash(other);
  propose(cluster, follower, 1, 1, "late");
  cluster.tick(21);
  const [refused] = of("proposalRefused", cluster.node(follower).effects);
  expect(refused?.refusal).toMatchObject({ code: "KHONSU_OUTCOME_UNKNOWN", retryable: true });
  cluster.restart(leader);
  cluster.restart(other);
  cluster.tickUntil(() => cluster.leaders.length === 1);
  propose(cluster, follower, 1, 1, "late");
  cluster.tick(10);
  expect(cluster.agreed().length).toBe(1);
});

test("PX-20 trimming waits for nobody, and what a dead member costs is bounded", () => {
  const { cluster, follower, leader } = withLeader({
    checkpointEntries: 8,
    retainEntries: 4,
    inFlightEntriesMax: 16,
  });
  cluster.crash(follower);
  for (let i = 1; i <= 200; i += 8) {
    cluster.step(leader, { kind: "proposed", proposals: proposals(8, i) });
    cluster.tick(1);
  }
  const { decided, last, trimmed } = cluster.node(leader).replica.status();
  expect(decided).toBeGreaterThan(200);
  expect(last - trimmed).toBeLessThanOrEqual(8 + 4 + 16);
  cluster.restart(follower);
  cluster.tickUntil(() => cluster.node(follower).appliedThrough >= decided);
  expect(cluster.node(follower).applied).toEqual(cluster.node(leader).applied);
});

test("an image is made early where it is small beside the log since the last", () => {
  const { cluster, leader } = withLeader({});
  const command = Buffer.from("x".repeat(500));
  for (let i = 1; i <= 2600; i += 64) {
    const large = proposals(64, i).map((proposal) => ({ ...proposal, command }));
    cluster.step(leader, { kind: "proposed", proposals: large });
    cluster.tick(1);
  }
  const { effects, replica } = cluster.node(leader);
  const slots = of("takeCheckpoint", effects).map(({ slot }) => slot);
  // The state of this test is all commands: its image is about as large as the whole log.
  expect(slots.length).toBe(2);
  const [first = 0, second = 0] = slots;
  expect(first).toBeGreaterThanOrEqual(512);
  expect(first).toBeLessThan(512 + 128);
  expect(second).toBeGreaterThanOrEqual(4 * first);
  expect(second).toBeLessThan(4 * first + 128);
  expect(replica.status().checkpoint).toBe(second);
});

test("a client's sequence that is older than its window is refused for good", () => {
  const { cluster, leader } = withLeader({ sessionWindow: 4 });
  for (let i = 1; i <= 10; i++) propose(cluster, leader, 1, i, `c${i}`);
  cluster.settle();
  const effects = cluster.step(leader, {
    kind: "proposed",
    proposals: [...proposals(1, 5), ...proposals(1, 9)],
  });
  expect(of("proposalRefused", effects)[0]?.refusal).toMatchObject({
    code: "KHONSU_SESSION_EXPIRED",
    retryable: false,
  });
  expect(of("alreadyDecided", effects)[0]?.proposal.sequence).toBe(9);
});
