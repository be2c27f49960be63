/** Whoever finds a transaction in the way finishes it through its home (TX-14, TX-15). */
import type { TransactionId } from "@khonsu/2pc";
import type { World } from "./world.ts";

const ABORT = { kind: "aborted", reason: { kind: "recovery" } } as const;

/** Asks home; if that has not decided, has it abort, now and then; tells `shard` what home said. */
export function* help(world: World, id: TransactionId, shard: number): Generator<void, void, undefined> {
  const before = world.statusAtHome(id).kind;
  yield;
  const isOpen = before === "unknown" || before === "prepared";
  if (isOpen && world.random.chance(40)) world.send(id.home, { kind: "decide", id, outcome: ABORT });
  yield;
  yield* spread(world, id, shard);
}

/** Tells a participant what home has decided, if it has, and home that it was applied. */
export function* spread(world: World, id: TransactionId, shard: number): Generator<void, void, undefined> {
  if (shard === id.home) return;
  const outcome = world.statusAtHome(id);
  if (outcome.kind !== "committed" && outcome.kind !== "aborted" && outcome.kind !== "expired") return;
  yield;
  const status = world.send(shard, { kind: "decide", id, outcome });
  if (status?.kind !== "committed") return;
  yield;
  const item = { id, participants: [shard] };
  const isCollected = world.random.chance(50);
  world.send(
    id.home,
    isCollected ? { kind: "acknowledgements", items: [item] } : { kind: "acknowledge", ...item },
  );
}

/** Somebody looks after what is unfinished at a shard. */
export function* recoverOne(world: World): Generator<void, void, undefined> {
  const { leader } = world.random.pick(world.shards);
  const unfinished = [...leader.unfinished()];
  if (unfinished.length === 0) return;
  const entry = world.random.pick(unfinished);
  if (entry.state === "prepared") yield* help(world, entry.id, leader.shard);
  else for (const shard of entry.unacknowledged) yield* spread(world, entry.id, shard);
}

/** Faults are over: everything that is unfinished anywhere is finished. */
export function heal(world: World): void {
  for (const { leader } of world.shards) {
    for (const entry of [...leader.unfinished()]) {
      const { id } = entry;
      for (let tries = 0; tries < 200 && leader.statusOf(id).kind === "prepared"; tries++) {
        for (const _ of help(world, id, leader.shard));
      }
    }
  }
  for (const replicas of world.shards) replicas.catchUpFully();
}
