/**
 * How much of the processors others took while a suite ran: of the time in which processors were busy, what neither this process nor those that
 * it started, and that have ended, have used. What the system itself does, also on our behalf, counts as others'. A load average would not tell,
 * since most of it is the suite before.
 */
import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";

/** Above this share of all processors the figures are not those of a quiet machine. */
const BUSY_SHARE = 0.15;

export interface MachineLoad {
  /** For a page. */
  readonly text: string;
  readonly isBusy: boolean;
}

/** In ticks of the system's clock. */
interface Times {
  readonly busy: number;
  readonly total: number;
  readonly own: number;
}

/** @returns a function to be called when what is measured is over and its processes have ended. */
export async function watchLoad(): Promise<() => Promise<MachineLoad>> {
  const [before, average] = [await times(), loadavg()[1]!];
  return async () => {
    const after = await times();
    return before === undefined || after === undefined ? byAverage(average) : byTimes(before, after);
  };
}

export function byTimes(before: Times, after: Times): MachineLoad {
  const others = after.busy - before.busy - (after.own - before.own);
  const share = Math.max(0, others) / Math.max(1, after.total - before.total);
  return {
    text: `other processes took ${Math.round(share * 100)} % of the processors meanwhile`,
    isBusy: share > BUSY_SHARE,
  };
}

/** Where the system does not tell: the average over the five minutes before. */
function byAverage(average: number): MachineLoad {
  return { text: `a load average of ${average.toFixed(1)} before`, isBusy: average > 1 };
}

/** Undefined where there is no /proc. */
async function times(): Promise<Times | undefined> {
  try {
    return timesFrom(await readFile("/proc/stat", "utf8"), await readFile("/proc/self/stat", "utf8"));
  } catch {
    return undefined;
  }
}

/** @param machine /proc/stat @param self /proc/self/stat */
export function timesFrom(machine: string, self: string): Times {
  // user, nice, system, idle, iowait, irq, softirq, steal
  const ticks = machine.split("\n", 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  const total = sum(ticks);
  // Behind the name in brackets: user and system time of the process, and of its children that have ended.
  const fields = self.slice(self.lastIndexOf(")") + 2).split(" ");
  return { busy: total - ticks[3]! - ticks[4]!, total, own: sum(fields.slice(11, 15).map(Number)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
