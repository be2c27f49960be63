/** Audits one after the other beside the traffic, through all nodes in turn, also while one of them is gone. */
import { setTimeout as sleep } from "node:timers/promises";
import type { CommitTimestamp } from "@khonsu/core";
import { areEqual, type Totals } from "../flights.ts";
import { audit } from "./inspect.ts";
import type { Traffic } from "./traffic.ts";

/** An audit reads everything; more often would be traffic of its own. */
const BETWEEN_MS = 500;

export interface AuditCounts {
  readonly audits: number;
  /** How many of them saw other totals than were loaded. */
  readonly wrong: number;
  /** How many could not be carried out. */
  readonly failed: number;
}

export class Auditor implements AsyncDisposable {
  readonly #counts = { audits: 0, wrong: 0, failed: 0 };
  readonly #running: Promise<void>;
  #firstWrong: Totals | undefined = undefined;
  #isOver = false;

  /** @param observed what every audit must show at least: snapshots may be a little old, and older than the flights. */
  constructor(traffic: Traffic, expected: Totals, observed: CommitTimestamp) {
    this.#running = this.#audit(traffic, expected, observed);
  }

  /** What the first audit that was wrong has seen. */
  get firstWrong(): Totals | undefined {
    return this.#firstWrong;
  }

  async stop(): Promise<AuditCounts> {
    this.#isOver = true;
    await this.#running;
    return this.#counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #audit(traffic: Traffic, expected: Totals, observed: CommitTimestamp): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      try {
        const session = traffic.session(i);
        session.observe(observed);
        const totals = await audit(session);
        if (!areEqual(totals, expected)) {
          this.#counts.wrong++;
          this.#firstWrong ??= totals;
        }
        this.#counts.audits++;
      } catch {
        // A snapshot is never restarted: what breaks the connection ends it.
        this.#counts.failed++;
      }
      await sleep(BETWEEN_MS);
    }
  }
}
