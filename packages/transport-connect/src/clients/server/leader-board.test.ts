import { expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/manual-clock.ts";
import type { LeaderHints } from "../session-codec.ts";
import { LeaderBoard } from "./leader-board.ts";

function open() {
  const clock = new ManualClock();
  const world = { shardCount: 2, leaders: [1, undefined] as (number | undefined)[], addresses: ["a:1"] };
  const board = new LeaderBoard({
    placement: {
      get shardCount() {
        return world.shardCount;
      },
    },
    leaderOf: (shard) => world.leaders[shard],
    describe: () => {
      if (world.shardCount === 0) throw new Error("the cluster is not known yet");
      return { members: world.addresses.map((address, i) => ({ node: i + 1, address })) };
    },
    runtime: clock,
  });
  const join = () => {
    const heard: LeaderHints[] = [];
    return { heard, leave: board.join((hints) => heard.push(hints)) };
  };
  return { clock, world, join };
}

test("who comes is told at once, and then of changes alone", () => {
  const { clock, world, join } = open();
  const first = join();
  expect(first.heard).toEqual([{ nodes: [1, 0], members: [{ node: 1, address: "a:1" }] }]);
  clock.pass(1000);
  expect(first.heard).toHaveLength(1);
  world.leaders = [1, 2];
  clock.pass(100);
  const second = join();
  for (const { heard } of [first, second]) expect(heard.at(-1)?.nodes).toEqual([1, 2]);
  world.addresses = ["a:1", "b:1"];
  clock.pass(100);
  for (const { heard } of [first, second]) expect(heard.at(-1)?.members).toHaveLength(2);
  expect([first.heard.length, second.heard.length]).toEqual([3, 2]);
});

test("nobody looks while nobody listens, and who comes then is told what is so now", () => {
  const { clock, world, join } = open();
  const { heard, leave } = join();
  leave();
  const { scheduled } = clock;
  world.leaders = [2, 2];
  clock.pass(10_000);
  expect(clock.scheduled).toBe(scheduled);
  expect(heard).toHaveLength(1);
  expect(join().heard).toMatchObject([{ nodes: [2, 2] }]);
});

test("a node that does not know its cluster yet tells nothing, and then all", () => {
  const { clock, world, join } = open();
  world.shardCount = 0;
  const { heard } = join();
  expect(heard).toEqual([{ nodes: [], members: [] }]);
  world.shardCount = 2;
  clock.pass(100);
  expect(heard.at(-1)).toEqual({ nodes: [1, 0], members: [{ node: 1, address: "a:1" }] });
});
