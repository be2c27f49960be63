import type { CommitTimestamp } from "@khonsu/core/isolation";
import { expect, test } from "vitest";
import { ManualRuntime } from "../test/manual-runtime.ts";
import { CommitsHere } from "./commits-here.ts";
import type { CommitResult } from "./coordinator-driver.ts";
import type { ShardStatus } from "./shard/state-machine.ts";
import type { ShardTransaction } from "./shard/transaction.ts";

const at = (timestamp: number) => timestamp as CommitTimestamp;
const ID = { birth: 1, random: 2, home: 3 };
const REQUEST: ShardTransaction = {
  isolation: "serializable",
  snapshot: at(0),
  proposed: at(1),
  observed: at(0),
  reads: [],
  ranges: [],
  writes: [],
  readBack: [],
};
const HERE: CommitResult = { kind: "committed", value: { timestamp: at(5), ignored: [] } };
const ELSEWHERE: CommitResult = { kind: "committed", value: { timestamp: at(7), ignored: [] } };

/** @param certify what the replica of shard 3, which leads, does; undefined: it does not lead */
function setUp(certify: (() => Promise<ShardStatus> | undefined) | undefined) {
  const runtime = new ManualRuntime();
  const commits = new CommitsHere(
    (shard) => (certify && shard === 3 ? { certify } : undefined),
    runtime,
    250,
  );
  const world = { coordinators: 0, results: [] as CommitResult[], runtime };
  const coordinate = async () => {
    world.coordinators++;
    return ELSEWHERE;
  };
  void commits.commit(ID, REQUEST, coordinate).then((result) => world.results.push(result));
  return world;
}

test("what the shard here has decided is told, without a coordinator", async () => {
  const world = setUp(async () => HERE);
  await world.runtime.pass(10_000);
  expect(world).toMatchObject({ coordinators: 0, results: [HERE] });
});

test.each<readonly [string, (() => Promise<ShardStatus> | undefined) | undefined]>([
  ["the shard is led elsewhere", undefined],
  ["a timestamp is too far ahead", () => undefined],
  ["it refuses", async () => ({ kind: "refused", reason: { kind: "timestamp-limit" } })],
  ["it knows nothing", async () => ({ kind: "unknown" })],
  ["it cannot tell", async () => Promise.reject(new Error("the leader has changed"))],
])("a coordinator takes over where %s", async (_, certify) => {
  const world = setUp(certify);
  await world.runtime.pass(0);
  expect(world).toMatchObject({ coordinators: 1, results: [ELSEWHERE] });
});

test("a coordinator takes over where nothing comes in time, and what comes later is not told", async () => {
  let decide = (_: ShardStatus): void => {};
  const world = setUp(() => new Promise((resolve) => (decide = resolve)));
  await world.runtime.pass(249);
  expect(world).toMatchObject({ coordinators: 0, results: [] });
  await world.runtime.pass(1);
  expect(world).toMatchObject({ coordinators: 1, results: [ELSEWHERE] });
  decide(HERE);
  await world.runtime.pass(1000);
  expect(world).toMatchObject({ coordinators: 1, results: [ELSEWHERE] });
});
