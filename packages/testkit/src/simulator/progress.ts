// The line that shows a session at work: on standard error, redrawn in a terminal, one line every few seconds elsewhere.

import { SingleBar } from "cli-progress";
import type { RunTotals } from "./runner.ts";

export interface Progress {
  update(totals: RunTotals): void;
  stop(): void;
}

/** @param seedCount the number of seeds to run, or undefined to run up to `deadlineMs` */
export function startProgress(
  target: string,
  seedCount: number | undefined,
  deadlineMs: number | undefined,
): Progress {
  const startMs = Date.now();
  const total = seedCount ?? Math.max(1, Math.ceil(((deadlineMs ?? startMs) - startMs) / 1_000));
  const bar = new SingleBar({
    format: `${target} {bar} {percentage}% | {seeds} seeds, {rate}/min | {simulated} simulated s, x{speed} | failures: {failures}`,
    barsize: 20,
    noTTYOutput: true,
    notTTYSchedule: 10_000,
  });
  bar.start(total, 0, { seeds: 0, rate: 0, simulated: 0, speed: 0, failures: 0 });
  return {
    update(totals) {
      const seconds = Math.max(0.001, (Date.now() - startMs) / 1_000);
      bar.update(Math.min(total, Math.floor(seedCount === undefined ? seconds : totals.seeds)), {
        seeds: totals.seeds,
        rate: Math.round((totals.seeds / seconds) * 60),
        simulated: Math.round(totals.simulatedSeconds),
        speed: Math.round(totals.simulatedSeconds / seconds),
        failures: totals.failures.length,
      });
    },
    stop: () => bar.stop(),
  };
}
