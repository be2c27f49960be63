/** Crashes: what was acknowledged stays, what was not is there once at most for each time that it was proposed. */
import assert from "node:assert/strict";
import type { Cases } from "./consensus-suite.ts";
import { command } from "./recording-application.ts";
import type { Replicas } from "./replicas.ts";

function countOf(names: readonly string[], name: string): number {
  return names.filter((each) => each === name).length;
}

async function crashAll(replicas: Replicas): Promise<void> {
  for (const id of replicas.ids) await replicas.crash(id);
  await replicas.openAll();
}

export const CRASH_CASES: Cases = {
  "what was acknowledged survives a crash of all replicas at once": async (replicas) => {
    const names: string[] = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 10; i++) {
        names.push(`command ${round}.${i}`);
        await replicas.propose(replicas.id(i), names.at(-1)!);
      }
      await crashAll(replicas);
      assert.deepEqual(await replicas.agreed(), names);
    }
  },

  "what was acknowledged survives when others were under way": async (replicas) => {
    for (let round = 0; round < 5; round++) {
      const acknowledged = new Set<string>();
      const proposed: string[] = [];
      await replicas.barrier(replicas.id(0));
      for (let i = 0; i < 60; i++) {
        const name = `command ${round}.${i}`;
        proposed.push(name);
        const proposing = replicas.consensus(replicas.id(i)).propose(command(name));
        // Those that are never answered are the point of the case.
        proposing.then(
          () => acknowledged.add(name),
          () => {},
        );
      }
      await replicas.until("some are acknowledged", () => acknowledged.size > round * 5);
      const kept = [...acknowledged];
      await crashAll(replicas);
      const applied = await replicas.agreed();
      for (const name of kept) assert.equal(countOf(applied, name), 1, `${name} was acknowledged`);
      for (const name of proposed) assert.ok(countOf(applied, name) <= 1, `${name} is there twice`);
    }
  },

  "a command that was in doubt can be proposed again, and is there once or twice, the same everywhere":
    async (replicas) => {
      for (let round = 0; round < 5; round++) {
        const name = `command ${round}`;
        const id = replicas.id(round);
        await replicas.barrier(id);
        replicas
          .consensus(id)
          .propose(command(name))
          .catch(() => {});
        for (let turn = 0; turn < round; turn++) await Promise.resolve();
        await replicas.crash(id);
        await replicas.open(id);
        await replicas.propose(id, name);
        const applied = await replicas.agreed();
        assert.ok(
          [1, 2].includes(countOf(applied, name)),
          `${name} is there ${countOf(applied, name)} times`,
        );
      }
    },

  "a replica that was applied to before starts anew, with the same commands": async (replicas) => {
    await replicas.propose(replicas.id(0), "one");
    await replicas.propose(replicas.id(0), "two");
    const before = [...(await replicas.agreed())];
    for (const id of replicas.ids) {
      await replicas.crash(id);
      await replicas.open(id);
    }
    assert.deepEqual(await replicas.agreed(), before);
    await replicas.propose(replicas.id(0), "three");
    assert.deepEqual(await replicas.agreed(), [...before, "three"]);
  },
};

/** With three replicas or more. */
export const MINORITY_CASES: Cases = {
  "while one replica is gone the others go on, and it catches up": async (replicas) => {
    const names: string[] = [];
    for (const gone of replicas.ids) {
      await replicas.barrier(gone);
      await replicas.crash(gone);
      const left = replicas.ids.filter((id) => id !== gone);
      for (let i = 0; i < 80; i++) {
        names.push(`without ${gone}: ${i}`);
        await replicas.propose(left[i % left.length]!, names.at(-1)!);
      }
      await replicas.open(gone);
      assert.deepEqual(distinct(await replicas.agreed()), names);
    }
  },
};

/** What was in doubt while the leader was gone may be there twice. */
function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
