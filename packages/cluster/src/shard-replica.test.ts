import type { CommitTimestamp } from "@khonsu/core/isolation";
import { expect, test } from "vitest";
import { ManualRuntime } from "../test/manual-runtime.ts";
import { encodeCommand } from "./codec/command-codec.ts";
import type { Consensus } from "./consensus.ts";
import { HybridClock, MAX_AHEAD_DEFAULT_MS } from "./hybrid-clock.ts";
import type { CommitRequest } from "./messages.ts";
import type { Command } from "./shard/command.ts";
import type { ShardTransaction } from "./shard/transaction.ts";
import { ShardLog } from "./shard-log.ts";
import { DEFAULT_PATIENCE, ShardReplica } from "./shard-replica.ts";

/** A replica whose log takes what it is given, and what was given to it. */
function replicaAt(wallClock: number, isLeader = true) {
  const log = new ShardLog(0, () => {});
  const proposed: Uint8Array[] = [];
  const barriers = { count: 0 };
  const consensus: Consensus = {
    propose: async (command) => log.apply(proposed.push(command), command),
    readBarrier: async () => void barriers.count++,
    status: () => ({ isLeader, leader: 1, applied: proposed.length }),
  };
  const replica = new ShardReplica({
    log,
    consensus,
    runtime: { now: () => 0, random: () => 0, schedule: () => () => {} },
    clock: new HybridClock(() => wallClock),
    askHome: async () => ({ kind: "unknown" }),
    patience: DEFAULT_PATIENCE,
  });
  return { replica, proposed, barriers };
}

const NOW_MS = 1_000_000;
const TOO_FAR = ((NOW_MS + MAX_AHEAD_DEFAULT_MS) * 2048 + 1) as CommitTimestamp;
const NONE = 0 as CommitTimestamp;

const empty: ShardTransaction = {
  isolation: "serializable",
  snapshot: NONE,
  proposed: NONE,
  observed: NONE,
  reads: [],
  ranges: [],
  writes: [],
  readBack: [],
};
const id = { birth: 1, random: 1, home: 0 };
const alone = { kind: "commit", id, participants: [0], votes: undefined } as const;

test.each<readonly [string, CommitRequest]>([
  ["birth", { ...alone, id: { ...id, birth: TOO_FAR }, request: empty }],
  ["proposed timestamp", { ...alone, request: { ...empty, proposed: TOO_FAR } }],
  ["observed timestamp", { ...alone, request: { ...empty, observed: TOO_FAR } }],
  [
    "snapshot of a prepare",
    {
      kind: "prepare",
      id: { ...id, home: 1 },
      participants: [0, 1],
      request: { ...empty, snapshot: TOO_FAR },
    },
  ],
])("a %s too far ahead of the leader's clock is refused before anything is proposed", async (_, request) => {
  const { replica, proposed } = replicaAt(NOW_MS);
  expect(await replica.serve({ kind: "commit", request })).toMatchObject({ kind: "clock-skew" });
  expect(proposed).toEqual([]);
});

test("what the clock admits is proposed", async () => {
  const { replica, proposed } = replicaAt(NOW_MS);
  const answer = await replica.serve({ kind: "commit", request: { ...alone, request: empty } });
  expect(answer).toMatchObject({ kind: "status", status: { kind: "committed" } });
  expect(proposed).toHaveLength(1);
});

test.each<readonly [string, CommitRequest]>([
  ["commit", { ...alone, id: { ...id, home: 1 }, request: empty }],
  ["prepare", { kind: "prepare", id: { ...id, home: 1 }, participants: [1, 2], request: empty }],
  ["acknowledgement", { kind: "acknowledge", id: { ...id, home: 1 }, participants: [0] }],
])("a %s for another shard is not proposed: in the log it would stop every replica", async (_, request) => {
  const { replica, proposed } = replicaAt(NOW_MS);
  const answer = await replica.serve({ kind: "commit", request });
  expect(answer).toMatchObject({ kind: "unavailable", message: expect.stringContaining("another shard") });
  expect(proposed).toEqual([]);
});

test.each([
  { isLeader: true, isFresh: false, barriers: 0 },
  { isLeader: false, isFresh: false, barriers: 1 },
  { isLeader: true, isFresh: true, barriers: 2 },
])("TX-19: a read above the clock advances it; %o", async ({ barriers, isFresh, isLeader }) => {
  const world = replicaAt(NOW_MS, isLeader);
  const at = 5 as CommitTimestamp;
  const time = { kind: "at-least", timestamp: at } as const;
  const request = { keys: ["k"], ranges: [] };
  for (let count = 0; count < 2; count++)
    expect(await world.replica.serve({ kind: "read", time, isFresh, request })).toMatchObject({ at });
  expect(world.proposed).toEqual([encodeCommand({ kind: "advance", timestamp: at })]);
  expect(world.barriers.count).toBe(barriers);
});

test.each(["newest", "at-least"] as const)(
  "a read (%s) has an outcome applied that waits here",
  async (kind) => {
    const { proposed, replica } = replicaAt(NOW_MS);
    const elsewhere = { birth: 1, random: 1, home: 1 };
    const key = { key: "k", operation: { kind: "delete" }, onConflict: "fail", baseline: undefined } as const;
    const writes = [{ ...key, mergeBy: undefined, isConditional: false }];
    const request = { ...empty, writes };
    const ask = (asked: CommitRequest) => replica.serve({ kind: "commit", request: asked });
    await ask({ kind: "prepare", id: elsewhere, participants: [0, 1], request });
    const value = { timestamp: 9 as CommitTimestamp, ignored: [] };
    const deciding = ask({ kind: "decide", id: elsewhere, outcome: { kind: "committed", value } });
    expect(proposed).toHaveLength(1);
    const time = { kind, timestamp: NONE };
    const read = { kind: "read", time, isFresh: true, request: { keys: ["k"], ranges: [] } } as const;
    expect(await replica.serve(read)).toMatchObject({ kind: "read", isNewest: kind === "newest" });
    expect(proposed).toHaveLength(2);
    expect(await deciding).toMatchObject({ status: { kind: "committed" } });
  },
);

/**
 * A transaction is committed at its home and prepared here when a reader begins, which therefore must see it; its decision
 * comes while the reader waits, at a timestamp above the clock that the reader took for its snapshot.
 */
test("TX-22: what was committed above a read while it waited makes the read none of the newest", async () => {
  const log = new ShardLog(0, () => {});
  let index = 0;
  const apply = (command: Command) => log.apply(++index, encodeCommand(command));
  const elsewhere = { birth: 1, random: 1, home: 1 };
  const key = { key: "k", operation: { kind: "delete" }, onConflict: "fail", baseline: undefined } as const;
  const writes = [{ ...key, mergeBy: undefined, isConditional: false }];
  apply({ kind: "prepare", id: elsewhere, participants: [0, 1], request: { ...empty, writes } });
  const runtime = new ManualRuntime();
  const replica = new ShardReplica({
    log,
    consensus: {
      propose: async (command) => log.apply(++index, command),
      readBarrier: async () => {},
      status: () => ({ isLeader: true, leader: 1, applied: index }),
    },
    runtime,
    clock: new HybridClock(() => NOW_MS),
    askHome: async () => ({ kind: "prepared", value: { timestamp: 1 as CommitTimestamp, ignored: [] } }),
    patience: DEFAULT_PATIENCE,
  });
  const answering = replica.serve({
    kind: "read",
    time: { kind: "at-least", timestamp: NONE },
    isFresh: true,
    request: { keys: ["k"], ranges: [] },
  });
  await runtime.pass(0);
  const value = { timestamp: 9 as CommitTimestamp, ignored: [] };
  apply({ kind: "decide", id: elsewhere, outcome: { kind: "committed", value } });
  await runtime.pass(100);
  expect(await answering).toMatchObject({ kind: "read", at: 1, isNewest: false, entries: [{ version: 0 }] });
});
