/** Coordinators of the model: one phase for one shard, two for several, home voting last, with twins, and deaths half-way (TX-11 to TX-13). */
import type { TransactionId } from "@khonsu/2pc";
import type { ShardStatus } from "../../src/shard/state-machine.ts";
import { type Commitment, mergeCommitments, type ShardTransaction } from "../../src/shard/transaction.ts";
import { spread } from "./recovery.ts";
import type { World } from "./world.ts";

export type Hear = (status: ShardStatus) => void;

export function* commitAtOnce(
  world: World,
  id: TransactionId,
  request: ShardTransaction,
  hear: Hear,
): Generator<void, void, undefined> {
  for (let copies = world.random.chance(20) ? 2 : 1; copies > 0; copies--) {
    yield;
    const status = world.send(id.home, {
      kind: "commit",
      id,
      participants: [id.home],
      request,
      votes: undefined,
    });
    if (status !== undefined) hear(status);
  }
}

/** Runs to the end side by side with its twins. */
export function* commitInTwoPhases(
  world: World,
  id: TransactionId,
  requests: ReadonlyMap<number, ShardTransaction>,
  hear: Hear,
): Generator<void, void, undefined> {
  const { random } = world;
  const twins = random.chance(15) ? 2 : 1;
  const running = Array.from({ length: twins }, () => coordinate(world, id, requests, hear));
  while (running.length > 0) {
    const at = random.below(running.length);
    if (running[at]!.next().done) running.splice(at, 1);
    yield;
  }
}

function* coordinate(
  world: World,
  id: TransactionId,
  requests: ReadonlyMap<number, ShardTransaction>,
  hear: Hear,
): Generator<void, void, undefined> {
  const { random } = world;
  const participants = [...requests.keys()];
  const votes: Commitment[] = [];
  const others = participants.filter((shard) => shard !== id.home);
  for (const shard of random.shuffled(others)) {
    if (random.chance(3)) return;
    yield;
    const status = world.send(shard, { kind: "prepare", id, participants, request: requests.get(shard)! });
    if (status?.kind === "prepared") votes.push(status.value);
  }
  yield;
  if (random.chance(4)) return;
  const isUnanimous = votes.length === others.length;
  const request = requests.get(id.home)!;
  const status = isUnanimous
    ? world.send(id.home, {
        kind: "commit",
        id,
        participants,
        request,
        votes: votes.reduce(mergeCommitments),
      })
    : world.send(id.home, { kind: "decide", id, outcome: { kind: "aborted", reason: { kind: "timeout" } } });
  if (status === undefined) return;
  yield;
  hear(status);
  // What home has decided may stay unknown elsewhere for long.
  if (random.chance(35)) return;
  for (const shard of random.shuffled(participants)) {
    yield;
    if (random.chance(75)) yield* spread(world, id, shard);
  }
}
