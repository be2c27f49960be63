/** A workload in its store, whichever that is: run by callers who go on where they stopped, so that no round repeats another. */
import type { Prng } from "@khonsu/testkit/simulator";
import { abortReport } from "../aborts/abort-report.ts";
import { Recorder } from "../aborts/attempts.ts";
import type { Prepared } from "../compare.ts";
import { callers } from "../workloads/callers.ts";
import type { Outcome, TransactionStore, Workload } from "../workloads/workload.ts";
import type { FromDriver, Ran } from "./messages.ts";
import type { WorkloadStore } from "./workload-store.ts";

/** A transaction that was drawn, bound to the store that it runs in. */
export interface BoundUnit {
  readonly kind: string;
  run(): Promise<Outcome>;
  /** In another store than usual, if the workload can. */
  runIn?(store: TransactionStore): Promise<Outcome>;
}

/** A workload bound to its store. */
export interface Bound {
  readonly store?: WorkloadStore;
  next(random: Prng, caller: number): BoundUnit;
  check(): Promise<void>;
  close(): Promise<void>;
}

/** @returns a workload over batches in a store of Khonsu */
export function bind(workload: Workload, store: WorkloadStore): Bound {
  return {
    store,
    next: (random, caller) => {
      const { kind, run } = workload.next(random, caller);
      return { kind, run: () => run(store.forCaller(caller)), runIn: run };
    },
    check: () => workload.check(store.forCaller(0)),
    close: () => store.close(),
  };
}

export class Driven {
  readonly #bound: Bound;
  readonly #runs = new Map<number, Prepared["run"]>();
  #committed = new Map<string, number>();

  constructor(bound: Bound) {
    this.#bound = bound;
  }

  async run(count: number, width: number): Promise<Ran> {
    let run = this.#runs.get(width);
    if (run === undefined) {
      run = callers(this.#bound, width, (unit) => this.#runUnit(unit));
      this.#runs.set(width, run);
    }
    this.#committed = new Map();
    const latencies: number[] = [];
    await run(count, latencies);
    return { kind: "ran", latencies, committed: Object.fromEntries(this.#committed) };
  }

  async record(count: number, width: number, what: string): Promise<FromDriver> {
    const { store } = this.#bound;
    if (store === undefined) throw new Error("Only transactions of Khonsu are recorded");
    const recorder = new Recorder();
    const storeOf = (unit: BoundUnit, caller: number) => recorder.storeFor(store.byHand(caller), unit.kind);
    await callers(this.#bound, width, async (unit, caller) => unit.runIn?.(storeOf(unit, caller)))(count, []);
    return { kind: "recorded", details: abortReport(what, recorder.attempts) };
  }

  check(): Promise<void> {
    return this.#bound.check();
  }

  close(): Promise<void> {
    return this.#bound.close();
  }

  async #runUnit(unit: BoundUnit): Promise<void> {
    const outcome = await unit.run();
    if (outcome === "committed") this.#committed.set(unit.kind, (this.#committed.get(unit.kind) ?? 0) + 1);
  }
}
