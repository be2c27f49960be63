/** The node's log: one JSON object a line on standard error (pino), written before the call returns, so that a crash loses none. */
import { destination, type Level, type Logger, pino } from "pino";

export type { Logger } from "pino";

export function createLogger(level: Level | "silent", fields: Readonly<Record<string, unknown>>): Logger {
  const options = { level, base: { ...fields }, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, destination({ fd: 2, sync: true }));
}
