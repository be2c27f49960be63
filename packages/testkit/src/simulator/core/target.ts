// The embedded store under the simulator: clients interleave at every await, the disk is slow and may fail, and what they saw is
// checked from outside. After the run the disk is opened again: all that was acknowledged is there, and nothing in part.

import { Khonsu, type Runtime } from "@khonsu/core";
import { checkTransactions, type Model } from "../../checkers/index.ts";
import type { Operation } from "../../history/index.ts";
import { asFailure, ensure, SimulationFailure } from "../failure.ts";
import { Prng } from "../prng.ts";
import { Scheduler } from "../scheduler.ts";
import type { RunObservation, RunResult, Target } from "../target.ts";
import { Trace } from "../trace.ts";
import { execute, observed } from "./execute.ts";
import { type CorePart, type CorePlan, PROFILES, type ProfileName, planCore } from "./plan.ts";
import { SlowDisk } from "./slow-disk.ts";

/** Commits are in the order of their acknowledgement, so one process's store is strict as well. */
const MODELS: Readonly<Record<ProfileName, Model>> = {
  serializable: "strict-serializable",
  contended: "strict-serializable",
  registers: "strict-serializable",
  snapshot: "strong-snapshot-isolation",
  mixed: "read-committed",
};

const STEP_US = 40;
const LIMIT_US = 600_000_000;

export const coreTarget: Target<CorePart, CorePlan> = {
  name: "core",
  description: "the embedded store: interleaved clients, a slow and failing disk, checked histories",
  profiles: PROFILES,
  plan: planCore,
  run,
  describePart: ({ process, transaction }) =>
    `client ${process}: ${transaction.isolation} ${JSON.stringify(transaction.ops)}`,
};

async function run(plan: CorePlan, observation: RunObservation): Promise<RunResult> {
  const scheduler = new Scheduler();
  const trace = new Trace({ linesMax: observation.traceLinesMax });
  const history: Operation[] = [];
  const random = new Prng(`core/${plan.seed}/run`);
  const disk = new SlowDisk(scheduler, random.split("disk"), plan.options.writeUs, plan.options.failsAtWrite);
  let failure: SimulationFailure | undefined;
  try {
    await simulate(plan, { scheduler, trace, history, random, disk });
    checkHistory(plan, history);
    await checkDisk(plan, disk, history);
  } catch (error) {
    failure = asFailure(error);
  }
  const outcomes = (outcome: string) => history.filter((operation) => operation.outcome === outcome).length;
  return {
    steps: scheduler.steps,
    simulatedUs: scheduler.nowUs,
    faults: disk.failed ? { "disk:failed": 1 } : {},
    counts: { ok: outcomes("ok"), fail: outcomes("fail"), unknown: outcomes("unknown") },
    failure,
    trace: { lines: trace.lines, droppedLines: trace.droppedLines, digest: trace.digest },
  };
}

interface World {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly history: Operation[];
  readonly random: Prng;
  readonly disk: SlowDisk;
}

async function simulate(plan: CorePlan, world: World): Promise<void> {
  const { scheduler, trace, history, random, disk } = world;
  const isList = plan.profile !== "registers";
  const db = await Khonsu.open({ storage: disk, runtime: runtimeOf(scheduler, random), detectLeaks: false });
  let time = 0;
  const client = async (process: number): Promise<void> => {
    const pauses = random.split(`client-${process}`);
    const pause = () => new Promise<void>((resolve) => scheduler.after(pauses.exponential(STEP_US), resolve));
    for (const part of plan.parts) {
      if (part.process !== process || disk.failed) continue;
      const invoke = time++;
      const { outcome, ops } = await execute(db, part.transaction, isList, pause).catch((error) =>
        isStop(error) ? ({ outcome: "fail", ops: part.transaction.ops } as const) : Promise.reject(error),
      );
      history.push({ process, invoke, complete: time++, outcome, ops });
      trace.add(scheduler.nowUs, undefined, () => `${process} ${outcome} ${JSON.stringify(ops)}`);
    }
  };
  const clients = Array.from({ length: plan.options.processes }, (_, process) => client(process));
  let ended: { readonly error?: unknown } | undefined;
  Promise.all(clients).then(
    () => {
      ended = {};
    },
    (error) => {
      ended = { error };
    },
  );
  await scheduler.runUntilAsync(LIMIT_US, () => ended !== undefined);
  if (ended === undefined) throw new SimulationFailure("liveness", "clients-end", "A client waits for ever");
  if (ended.error !== undefined) throw ended.error;
  const { openTransactions, trackedRanges, versions, keys } = db.stats();
  ensure(openTransactions === 0, "left-open", () => `${openTransactions} transactions are open`);
  ensure(
    trackedRanges === 0 && versions === keys,
    "collected",
    () => `${versions} versions of ${keys} keys are kept`,
  );
  const closing = db.close();
  await scheduler.runUntilAsync(scheduler.nowUs + 1_000_000);
  await closing;
}

function checkHistory(plan: CorePlan, history: readonly Operation[]): void {
  const { anomalies } = checkTransactions(history, { model: MODELS[plan.profile] });
  const found = anomalies.find(({ isProscribed }) => isProscribed);
  ensure(found === undefined, found?.kind ?? "", () => found?.explanation ?? "");
}

/** What was acknowledged is on the disk; with lists every element tells. */
async function checkDisk(plan: CorePlan, disk: SlowDisk, history: readonly Operation[]): Promise<void> {
  if (plan.profile === "registers") return;
  await using db = await Khonsu.open({ storage: disk.contents, detectLeaks: false });
  using tx = db.begin({ readOnly: true });
  for (const { outcome, ops } of history) {
    const appends = ops.filter((op) => op[0] === "append");
    const found = appends.map(([, key, element]) => {
      const list = observed(tx.read(String(key)), true);
      return Array.isArray(list) && list.includes(element);
    });
    const isThere = found.every(Boolean);
    ensure(
      outcome !== "ok" || isThere,
      "durability",
      () => `${JSON.stringify(ops)} was acknowledged and is gone`,
    );
    ensure(isThere || !found.some(Boolean), "atomicity", () => `${JSON.stringify(ops)} is there in part`);
    ensure(
      outcome !== "fail" || !found.some(Boolean),
      "aborted",
      () => `${JSON.stringify(ops)} failed and is there`,
    );
  }
}

function runtimeOf(scheduler: Scheduler, random: Prng): Runtime {
  const draws = random.split("runtime");
  return {
    now: () => scheduler.nowUs / 1000,
    random: () => draws.fraction(),
    schedule: (milliseconds, action) => {
      const timer = scheduler.after(milliseconds * 1000, action);
      return () => timer.cancel();
    },
  };
}

/** The store stopped while the transaction was under way; nothing of it was committed. */
function isStop(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "KHONSU_STORAGE_FAILED";
}
