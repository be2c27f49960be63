/** The suite's side of a process that runs a workload in a store: one question at a time, each with its answer. */
import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";
import type { Detail } from "../report/row.ts";
import type { FromDriver, Ran, StoreSpec, ToDriver, WorkloadSpec } from "./messages.ts";

const CHILD = fileURLToPath(new URL("driver-process.ts", import.meta.url));
/** A warehouse of TPC-C as objects in memory takes more than Node has by default. */
const MEMORY = "--max-old-space-size=8192";

export class DriverFork {
  readonly #child = new Child<ToDriver, FromDriver>(CHILD, [MEMORY]);

  private constructor() {}

  /** Opens the store and loads the workload into it. */
  static async open(store: StoreSpec, workload: WorkloadSpec): Promise<DriverFork> {
    const driver = new DriverFork();
    try {
      await driver.#child.ask({ kind: "open", store, workload });
    } catch (error) {
      await driver.close();
      throw error;
    }
    return driver;
  }

  async run(count: number, callers: number): Promise<Ran> {
    const reply = await this.#child.ask({ kind: "run", count, callers });
    return reply.kind === "ran" ? reply : unexpected(reply);
  }

  /** @returns what became of every attempt: rows for the page. */
  async record(count: number, callers: number, what: string): Promise<readonly Detail[]> {
    const reply = await this.#child.ask({ kind: "record", count, callers, what });
    return reply.kind === "recorded" ? reply.details : unexpected(reply);
  }

  /** @throws Error naming what does not hold. */
  async check(): Promise<void> {
    await this.#child.ask({ kind: "check" });
  }

  close(): Promise<void> {
    return this.#child.end({ kind: "close" });
  }
}

function unexpected(reply: FromDriver): never {
  throw new Error(`Invariant: the driver does not answer with ${reply.kind}`);
}
