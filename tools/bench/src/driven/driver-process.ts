/** Runs a workload in a store of its own or against a cluster, in a process of its own. */
import { Khonsu } from "@khonsu/core";
import { connectCluster } from "@khonsu/transport-connect";
import { abortReport } from "../aborts/abort-report.ts";
import { Recorder } from "../aborts/attempts.ts";
import { answerParent } from "../child.ts";
import type { Prepared } from "../compare.ts";
import { callers } from "../workloads/callers.ts";
import { SmallBank } from "../workloads/smallbank.ts";
import { Tpcc } from "../workloads/tpcc/tpcc.ts";
import type { Unit, Workload } from "../workloads/workload.ts";
import { Ycsb } from "../workloads/ycsb.ts";
import { ClusterStore } from "./cluster-store.ts";
import { EmbeddedStore } from "./embedded-store.ts";
import type { FromDriver, Ran, StoreSpec, ToDriver, WorkloadSpec } from "./messages.ts";
import type { WorkloadStore } from "./workload-store.ts";

const MAX_RETRIES = 10_000;

let driven: Driven | undefined;

async function openStore(spec: StoreSpec): Promise<WorkloadStore> {
  if (spec.kind === "cluster") {
    const { addresses } = spec;
    return new ClusterStore(await connectCluster({ addresses }));
  }
  const { isolation } = spec;
  return new EmbeddedStore(await Khonsu.open({ detectLeaks: false, isolation, maxRetries: MAX_RETRIES }));
}

function makeWorkload(spec: WorkloadSpec): Workload {
  if (spec.kind === "smallbank") return new SmallBank(spec.options);
  return spec.kind === "ycsb" ? new Ycsb(spec.letter, spec.records) : new Tpcc(spec.scale);
}

/** A workload in its store. Callers go on where they stopped, so that no round repeats another. */
class Driven {
  readonly #store: WorkloadStore;
  readonly #workload: Workload;
  readonly #runs = new Map<number, Prepared["run"]>();
  #committed = new Map<string, number>();

  private constructor(store: WorkloadStore, workload: Workload) {
    this.#store = store;
    this.#workload = workload;
  }

  static async open(store: StoreSpec, workload: WorkloadSpec): Promise<Driven> {
    const opened = new Driven(await openStore(store), makeWorkload(workload));
    await opened.#workload.load(opened.#store.forCaller(0));
    return opened;
  }

  async run(count: number, width: number): Promise<Ran> {
    let run = this.#runs.get(width);
    if (run === undefined) {
      run = callers(this.#workload, width, (unit, caller) => this.#runUnit(unit, caller));
      this.#runs.set(width, run);
    }
    this.#committed = new Map();
    const latencies: number[] = [];
    await run(count, latencies);
    return { kind: "ran", latencies, committed: Object.fromEntries(this.#committed) };
  }

  async record(count: number, width: number, what: string): Promise<FromDriver> {
    const recorder = new Recorder();
    const storeOf = (unit: Unit, caller: number) => recorder.storeFor(this.#store.byHand(caller), unit.kind);
    await callers(this.#workload, width, (unit, caller) => unit.run(storeOf(unit, caller)))(count, []);
    return { kind: "recorded", details: abortReport(what, recorder.attempts) };
  }

  check(): Promise<void> {
    return this.#workload.check(this.#store.forCaller(0));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #runUnit(unit: Unit, caller: number): Promise<void> {
    const outcome = await unit.run(this.#store.forCaller(caller));
    if (outcome === "committed") this.#committed.set(unit.kind, (this.#committed.get(unit.kind) ?? 0) + 1);
  }
}

async function answer(message: ToDriver): Promise<FromDriver> {
  if (message.kind === "open") {
    driven = await Driven.open(message.store, message.workload);
    return { kind: "done" };
  }
  if (message.kind === "close") {
    await driven?.close();
    return { kind: "done" };
  }
  if (driven === undefined) throw new Error("There is no store yet");
  if (message.kind === "run") return driven.run(message.count, message.callers);
  if (message.kind === "record") return driven.record(message.count, message.callers, message.what);
  await driven.check();
  return { kind: "done" };
}

answerParent(answer);
