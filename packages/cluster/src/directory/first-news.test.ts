import { expect, test } from "vitest";
import { ManualRuntime } from "../../test/manual-runtime.ts";
import { firstNews } from "./first-news.ts";
import type { DirectoryState } from "./state.ts";

const CLUSTER = "c";

/** A node that asks `nodes`, of which some answer with the state of a cluster. */
function setUp(nodes: readonly number[]) {
  const runtime = new ManualRuntime();
  const asked: number[] = [];
  const known = new Map<number, string>();
  const directory = { state: undefined as DirectoryState | undefined };
  const world = { asked, directory, isClosed: false, isDone: false, known, runtime };
  const options = {
    self: 1,
    nodes,
    clusterId: CLUSTER,
    runtime,
    directory: {
      get state() {
        return directory.state;
      },
      learn: (state: DirectoryState) => {
        directory.state = state;
      },
    },
    ask: async (node: number) => {
      asked.push(node);
      const clusterId = known.get(node);
      if (clusterId === undefined) throw new Error("unreachable");
      return { kind: "state", state: { clusterId } as DirectoryState } as const;
    },
    isClosed: () => world.isClosed,
  };
  void firstNews(options).then(() => {
    world.isDone = true;
  });
  return world;
}

test("all others are asked, each once in a round, until one tells", async () => {
  const { asked, directory, known, runtime } = setUp([2, 1, 3, 2]);
  await runtime.pass(0);
  expect(asked.splice(0)).toEqual([2, 3]);
  known.set(3, CLUSTER);
  await runtime.pass(1000);
  expect(asked).toEqual([2, 3]);
  expect(directory.state).toMatchObject({ clusterId: CLUSTER });
});

test("another cluster's directory is not believed", async () => {
  const world = setUp([2]);
  world.known.set(2, "another");
  await world.runtime.pass(1000);
  expect(world.isDone).toBe(false);
  world.known.set(2, CLUSTER);
  await world.runtime.pass(1000);
  expect(world.isDone).toBe(true);
});

test("a node that is closed asks no more", async () => {
  const world = setUp([2]);
  await world.runtime.pass(0);
  world.isClosed = true;
  await world.runtime.pass(1000);
  expect(world.isDone).toBe(true);
  expect(world.asked).toEqual([2]);
});
