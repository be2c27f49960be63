/** What may be done twice is done again where it fails for a reason that passes: a leader that changes, a machine that is busy. */
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "../../failure.ts";

const ATTEMPTS = 30;
const PAUSE_MS = 200;

/** @param attempt has the same effect however often it is made */
export async function persistently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      const { retryable } = error as { retryable?: unknown };
      if (made === ATTEMPTS || (retryable !== true && codeOf(error) !== "KHONSU_IN_DOUBT")) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
