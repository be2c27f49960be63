import { expect, test } from "vitest";
import type { Configuration } from "../src/configuration.ts";
import type { Effect } from "../src/effect.ts";
import { Random } from "../src/random.ts";
import { type ReplicaId, replicaId } from "../src/replica-id.ts";
import { Cluster, propose } from "./cluster.ts";

const IDS = [1, 2, 3].map((node) => replicaId(node));
const GROUP: Configuration = { voters: IDS, learners: [], retired: [], quorums: "majority" };

/** A run with losses and restarts, as the list of all effects. */
function effectsOf(seed: number): string {
  const random = new Random(seed);
  const cluster = new Cluster({ checkpointEntries: 20, chunkBytes: 64 });
  const effects: [ReplicaId, Effect][] = [];
  cluster.onEffect = (node, effect) => effects.push([node.id, effect]);
  cluster.found(GROUP);
  cluster.settle();
  const pick = (): ReplicaId => IDS[random.below(3)]!;
  for (let i = 0; i < 600; i++) {
    const dice = random.below(20);
    if (dice < 10) cluster.deliver(random.below(5));
    else if (dice < 14) cluster.flush(pick());
    else if (dice < 17) cluster.step(pick(), { kind: "tick" });
    else if (dice < 19) propose(cluster, pick(), 1, i + 1, `c${i}`);
    else {
      const id = pick();
      cluster.crash(id);
      cluster.restart(id);
    }
  }
  return JSON.stringify(effects);
}

test("PX-21 equal inputs give equal effects", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const once = effectsOf(seed);
    expect(once.length).toBeGreaterThan(1000);
    expect(effectsOf(seed)).toBe(once);
  }
  expect(effectsOf(1)).not.toBe(effectsOf(2));
});
