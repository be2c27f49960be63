/** Logs that die at a chosen write: a power failure of the process that holds both stores and the coordinator. */
import type { BankLog } from "./bank.ts";

export interface CrashPoint {
  /** The how-manieth write of all, counted from 0. */
  readonly write: number;
  /** Whether the write itself is lost, or durable and only its answer lost. */
  readonly when: "before" | "after";
}

export class Crash extends Error {
  constructor({ write, when }: CrashPoint) {
    super(`The process crashes ${when} write ${write}`);
  }
}

/** The same logs, which together die at `point`; nothing is written afterwards. */
export function crashingLogs(logs: readonly BankLog[], point: CrashPoint): readonly BankLog[] {
  let writes = 0;
  const write = async (carryOut: () => Promise<void>) => {
    const number = writes;
    writes += 1;
    if (number > point.write || (number === point.write && point.when === "before")) throw new Crash(point);
    await carryOut();
    if (number === point.write) throw new Crash(point);
  };
  return logs.map((log) => ({
    append: (records) => write(() => log.append(records)),
    replace: (records) => write(() => log.replace(records)),
    read: () => log.read(),
    close: () => log.close(),
  }));
}
