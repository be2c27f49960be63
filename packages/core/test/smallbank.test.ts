/** SmallBank: its transactions are not serializable under snapshot isolation, which is why serializable is the default. */
import { expect, test } from "vitest";
import { runSmallBank } from "./smallbank/workload.ts";

const WORKLOAD = { rounds: 3000, concurrency: 4, customers: 2 };
const SEEDS = [1, 2, 3];

test.each(SEEDS)(
  "under repeatable read, rounds happen that no serial order explains (seed %i)",
  async (seed) => {
    const { committed, violations } = await runSmallBank({ ...WORKLOAD, isolation: "repeatable-read", seed });
    expect(committed).toBeGreaterThan(WORKLOAD.rounds);
    expect(violations.length).toBeGreaterThan(0);
  },
);

test.each(SEEDS)("under serializable, a serial order explains every round (seed %i)", async (seed) => {
  const { committed, refused, violations } = await runSmallBank({
    ...WORKLOAD,
    isolation: "serializable",
    seed,
  });
  expect(violations).toEqual([]);
  expect(committed).toBeGreaterThan(WORKLOAD.rounds);
  expect(refused).toBeGreaterThan(0);
});
