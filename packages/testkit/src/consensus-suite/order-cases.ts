/** One order of commands on all replicas, and what a proposer and a reader may rely on. */
import assert from "node:assert/strict";
import type { Cases } from "./consensus-suite.ts";
import { command } from "./recording-application.ts";

const MANY = 300;

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export const ORDER_CASES: Cases = {
  "a command is applied once, and its proposer gets what was made of it": async (replicas) => {
    const result = await replicas.propose(replicas.id(0), "first");
    assert.ok(result === "1:first" || result === undefined, String(result));
    assert.deepEqual(await replicas.agreed(), ["first"]);
  },

  "commands of which each waits for the one before keep their order": async (replicas) => {
    const names = range(40).map((index) => `command ${index}`);
    for (const [index, name] of names.entries()) await replicas.propose(replicas.id(index), name);
    assert.deepEqual(await replicas.agreed(), names);
  },

  "commands that are proposed at once, everywhere, are applied once each, in one order": async (replicas) => {
    await replicas.propose(replicas.id(0), "first");
    const names = range(MANY).map((index) => `command ${index}`);
    const results = await Promise.all(
      names.map((name, index) => replicas.consensus(replicas.id(index)).propose(command(name))),
    );
    const applied = await replicas.agreed();
    assert.deepEqual([...applied].sort(), ["first", ...names].sort());
    for (const [index, result] of results.entries()) {
      const expected = `${applied.indexOf(names[index]!) + 1}:${names[index]}`;
      assert.ok(result === expected || result === undefined, `${result} instead of ${expected}`);
    }
  },

  "two equal commands are two": async (replicas) => {
    await replicas.propose(replicas.id(0), "again");
    await replicas.propose(replicas.id(0), "again");
    assert.deepEqual(await replicas.agreed(), ["again", "again"]);
  },

  "empty and large commands arrive as they were": async (replicas) => {
    await replicas.propose(replicas.id(0), "");
    const large = `${"x".repeat(300_000)} the end`;
    await replicas.propose(replicas.id(1), large);
    assert.deepEqual(await replicas.agreed(), ["", `${large.length}:${large.slice(-20)}`]);
  },

  "after a barrier, on whichever replica, everything acknowledged before it is applied there": async (
    replicas,
  ) => {
    for (const index of range(20)) {
      const name = `command ${index}`;
      await replicas.propose(replicas.id(index), name);
      const reader = replicas.id(index + 1);
      await replicas.barrier(reader);
      assert.ok(replicas.application(reader).commands.includes(name), `${name} is not applied on ${reader}`);
    }
  },

  "a barrier of an empty log is confirmed, and so are many at once": async (replicas) => {
    for (const id of replicas.ids) await replicas.barrier(id);
    await replicas.propose(replicas.id(0), "one");
    const barriers = range(50).map((index) => replicas.barrier(replicas.id(index)));
    await Promise.all(barriers);
    for (const id of replicas.ids) assert.deepEqual(replicas.application(id).commands, ["one"]);
  },

  "the status names one leader, and the index that was applied last": async (replicas) => {
    await replicas.propose(replicas.id(0), "one");
    await replicas.agreed();
    await replicas.until("all know the leader", () =>
      replicas.ids.every((id) => {
        const { leader } = replicas.consensus(id).status();
        return leader !== undefined && leader === replicas.leader;
      }),
    );
    const leaders = replicas.ids.filter((id) => replicas.consensus(id).status().isLeader);
    assert.deepEqual(leaders, [replicas.leader]);
    for (const id of replicas.ids) {
      // Entries of the log's own may follow the last command.
      assert.ok(replicas.consensus(id).status().applied >= replicas.application(id).last);
    }
  },
};

export const CHECKPOINT_CASES: Cases = {
  "a replica goes on from its checkpoint, with what came after it": async (replicas) => {
    const names = range(MANY).map((index) => `command ${index}`);
    for (let from = 0; from < MANY; from += 30) {
      const some = names.slice(from, from + 30);
      await Promise.all(some.map((name, index) => replicas.propose(replicas.id(index), name)));
    }
    // What was saved gets to the disk beside everything else, in time of its own.
    for (let pauses = 0; pauses < 5; pauses++) await replicas.pause();
    const before = [...(await replicas.agreed())];
    const saved = replicas.ids.map((id) => replicas.application(id).saved);
    assert.ok(
      saved.some((count) => count > 0),
      "nothing was ever saved",
    );
    for (const id of replicas.ids) await replicas.crash(id);
    await replicas.openAll();
    await replicas.propose(replicas.id(0), "afterwards");
    assert.deepEqual(await replicas.agreed(), [...before, "afterwards"]);
    const restored = replicas.ids.map((id) => replicas.application(id).restored);
    assert.ok(
      restored.some((count) => count > 0),
      "nothing was restored",
    );
  },
};
