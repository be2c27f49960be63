/**
 * The rules of docs/spec/transactions.md over many small histories: shards as atomic logs with lagging replicas, late, lost and
 * repeated messages, dying and twin coordinators, clocks that say anything; checked by a brute-force search for a strict serial order.
 */
import { expect, test } from "vitest";
import { runHistory } from "./model/history.ts";
import { hasSerialOrder } from "./model/serial-order.ts";

const HISTORIES = Number(process.env.KHONSU_MODEL_HISTORIES ?? 20_000);
const FIRST_SEED = Number(process.env.KHONSU_MODEL_SEED ?? 1);

test(`${HISTORIES} histories from seed ${FIRST_SEED} are strictly serializable and leave nothing in doubt`, () => {
  let committed = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed++) {
    const { observations, world } = runHistory(seed);
    if (!hasSerialOrder(observations, true)) {
      expect.fail(`seed ${seed}: no strict serial order explains\n${describe(observations)}`);
    }
    for (const { leader, follower } of world.shards) {
      expect(leader.preparedCount, `seed ${seed}: prepared for ever`).toBe(0);
      expect(follower.clock, `seed ${seed}: clocks differ`).toBe(leader.clock);
    }
    committed += observations.filter(({ outcome }) => outcome === "committed").length;
  }
  expect(committed).toBeGreaterThan(HISTORIES * 2);
}, 300_000);

function describe(observations: ReturnType<typeof runHistory>["observations"]): string {
  return observations
    .map(({ name, kind, outcome, begin, end, timestamp, reads, writes }) => {
      const read = [...reads].map(([key, value]) => `r(${key})=${value}`).join(" ");
      const written = [...writes].map(([key, value]) => `w(${key})=${value ?? 0}`).join(" ");
      return `T${name} ${kind} ${outcome} [${begin},${end}] at ${timestamp}: ${read} ${written}`;
    })
    .join("\n");
}
