import { type CommitTimestamp, systemRuntime } from "@khonsu/core";
import { expect, test } from "vitest";
import type { ShardAnswer, ShardRequest } from "./messages.ts";
import { Router } from "./router.ts";

const REQUEST: ShardRequest = { kind: "identities", keys: [] };
const ANSWER: ShardAnswer = { kind: "identities", identities: [] };

/** A router on node 1 of three, each with a replica of shard 0; keeps who was asked. */
function routerOn({
  leader = undefined as number | undefined,
  down = new Set<number>(),
  silent = new Set<number>(),
} = {}) {
  const asked: number[] = [];
  let now = 0;
  const world = {
    asked,
    leader,
    down,
    silent,
    clock: undefined as CommitTimestamp | undefined,
    pass: (ms: number) => (now += ms),
  };
  const router = new Router({
    placement: { shardCount: 1, shardOf: () => 0, shardsOf: () => [0], replicasOf: () => [2, 3, 1] },
    runtime: { ...systemRuntime, now: () => now },
    self: 1,
    leaderOf: () => world.leader,
    clockOf: () => world.clock,
    transport: {
      ask: async (node) => {
        asked.push(node);
        if (down.has(node)) throw new Error("unreachable");
        if (silent.has(node)) await new Promise(() => {});
        return ANSWER;
      },
    },
  });
  return { ...world, router, world };
}

test("the leader is asked, where it is known; else this node; else whoever answered last", async () => {
  const { asked, router, world, down } = routerOn({ leader: 3 });
  await router.ask(0, REQUEST);
  world.leader = undefined;
  await router.ask(0, REQUEST);
  expect(asked.splice(0)).toEqual([3, 3]);
  down.add(3);
  await router.ask(0, REQUEST);
  expect(asked.splice(0)).toEqual([3, 2]);
  await router.ask(0, REQUEST);
  expect(asked).toEqual([2]);
});

test("without any hint this node comes first", async () => {
  const { asked, router } = routerOn();
  await router.ask(0, REQUEST);
  expect(asked).toEqual([1]);
});

test("a leader that did not answer does not come first for a while, unless another leads", async () => {
  const { asked, router, world, down } = routerOn({ leader: 3, down: new Set([3]) });
  await router.ask(0, REQUEST);
  await router.ask(0, REQUEST);
  expect(asked.splice(0)).toEqual([3, 2, 2]);
  world.leader = 1;
  await router.ask(0, REQUEST);
  world.leader = 3;
  down.clear();
  await router.ask(0, REQUEST);
  expect(asked.splice(0)).toEqual([1, 1]);
  world.pass(3000);
  await router.ask(0, REQUEST);
  expect(asked).toEqual([3]);
});

test("a leader that is silent is waited for until another leads, and no longer", async () => {
  const { asked, router, world, silent } = routerOn({ leader: 3, silent: new Set([3]) });
  const answer = router.ask(0, REQUEST, 600_000);
  world.leader = 2;
  expect(await answer).toEqual(ANSWER);
  expect(asked.splice(0)).toEqual([3, 2]);
  silent.clear();
  await router.ask(0, REQUEST);
  expect(asked).toEqual([2]);
});

test("a snapshot that this node has applied is read here, whoever leads; anything newer is not", async () => {
  const { asked, router, world } = routerOn({ leader: 3 });
  const at = (timestamp: number) => timestamp as CommitTimestamp;
  const read = (kind: "exact" | "at-least" | "newest", timestamp: number, isFresh = false): ShardRequest => ({
    kind: "read",
    time: { kind, timestamp: at(timestamp) },
    isFresh,
    request: { keys: ["a"], ranges: [] },
  });
  await router.ask(0, read("exact", 10));
  expect(asked.splice(0)).toEqual([3]);
  world.clock = at(10);
  await router.ask(0, read("exact", 10));
  expect(asked.splice(0)).toEqual([1]);
  for (const request of [
    read("exact", 11),
    read("exact", 10, true),
    read("at-least", 9),
    read("newest", 9),
  ]) {
    await router.ask(0, request);
  }
  expect(asked.splice(0)).toEqual([3, 3, 3, 3]);
  world.down.add(1);
  await router.ask(0, read("exact", 10));
  expect(asked[0]).toBe(1);
  expect(asked.length).toBeGreaterThan(1);
});
