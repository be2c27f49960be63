/**
 * Real processes, killed, paused and restarted under load: nothing acknowledged is lost, nothing is there in part, nothing stays in doubt.
 * A few kills here; `pnpm --filter @khonsu/node run kills` does a hundred and more, and docs/testing.md has its figures.
 */
import { expect, test } from "vitest";
import { runKills } from "./kill-run.ts";

const SEED = process.env.KHONSU_SEED ?? "1";
const KILLS = Number(process.env.KHONSU_KILLS ?? 4);

test(`clients of three processes see one history through ${KILLS} kills, with seed ${SEED}`, async () => {
  const report = await runKills({ seed: SEED, kills: KILLS, clients: 2 });
  expect(report.violations).toEqual([]);
  expect(report.kills).toBeGreaterThanOrEqual(KILLS);
  expect(report.outcomes.lists.ok).toBeGreaterThan(KILLS);
  expect(report.outcomes.bank.ok).toBeGreaterThan(KILLS);
});
