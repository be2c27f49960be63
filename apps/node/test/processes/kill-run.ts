/** A cluster of processes under load, killed, paused, wiped and restarted again and again. */
import { Prng } from "@khonsu/testkit/simulator";
import { doFault, type FaultName, type FaultReport } from "./faults.ts";
import { type LoadOptions, type LoadReport, runUnderLoad } from "./load-run.ts";

export interface KillRunOptions extends LoadOptions {
  /** Processes that are ended by SIGKILL, at least. */
  readonly kills: number;
  /** Ends earlier, after so many faults. Default: it does not. */
  readonly faults?: number;
  /** Faults are drawn from these. Default: all. */
  readonly kinds?: readonly FaultName[];
  /** Told after each fault; for a progress line. */
  readonly onFault?: (report: FaultReport, kills: number) => void;
}

export interface KillReport extends LoadReport {
  readonly seed: string;
  readonly kills: number;
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** Pauses of service after a fault, in milliseconds. */
  readonly pauseMs: Readonly<Partial<Record<FaultName, { readonly median: number; readonly worst: number }>>>;
}

export async function runKills(options: KillRunOptions): Promise<KillReport> {
  const random = new Prng(`kills/${options.seed}`);
  const reports: FaultReport[] = [];
  const { faults = Number.POSITIVE_INFINITY } = options;
  let kills = 0;
  const report = await runUnderLoad(options, async (cluster, probing) => {
    while (kills < options.kills && reports.length < faults) {
      const done = await doFault(cluster, probing, random, options.kinds);
      reports.push(done);
      kills += done.kills;
      options.onFault?.(done, kills);
    }
  });
  return { seed: options.seed, kills, ...summaryOf(reports), ...report };
}

function summaryOf(reports: readonly FaultReport[]): Pick<KillReport, "faults" | "pauseMs"> {
  const faults: Partial<Record<FaultName, number>> = {};
  const pauseMs: Partial<Record<FaultName, { median: number; worst: number }>> = {};
  for (const name of new Set(reports.map(({ fault }) => fault))) {
    const pauses = reports.filter(({ fault }) => fault === name).map((one) => Math.round(one.pauseMs));
    pauses.sort((a, b) => a - b);
    faults[name] = pauses.length;
    pauseMs[name] = { median: pauses[Math.floor(pauses.length / 2)]!, worst: pauses.at(-1)! };
  }
  return { faults, pauseMs };
}
