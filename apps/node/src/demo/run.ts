/** The demo from beginning to end: load, traffic, appenders, isolation levels, crash. */
import { mkdir } from "node:fs/promises";
import { Prng } from "@khonsu/testkit/simulator";
import { runAnomalies } from "./anomalies.ts";
import { runAppenders } from "./appenders.ts";
import { runCrash } from "./crash.ts";
import { runCrews } from "./crews.ts";
import { loadFlights } from "./load.ts";
import type { DemoOptions } from "./options.ts";
import { createProgress, type Progress } from "./progress.ts";
import { describeMachine, type Report } from "./report.ts";
import { openStore, type StorePlace } from "./store.ts";
import { TemporaryDirectory } from "./temporary-directory.ts";
import { runTraffic } from "./traffic.ts";

export async function runDemo(options: DemoOptions): Promise<Report> {
  const { directory, storage } = options;
  if (directory === undefined) {
    using temporary = new TemporaryDirectory("khonsu-demo-");
    return await runIn({ directory: temporary.path, storage }, options);
  }
  await mkdir(directory, { recursive: true });
  return runIn({ directory, storage }, options);
}

async function runIn(place: StorePlace, options: DemoOptions): Promise<Report> {
  const started = performance.now();
  const progress = createProgress(options.isQuiet);
  const random = new Prng(options.seed);
  const open = await runOpen(place, options, random.split("traffic"), progress);
  const crashing = progress.begin("Killing a process in the middle of its commits");
  const { workers, seconds, rows, seed } = options;
  const { totals } = open.load;
  const { checks: crashChecks, ...crash } = await runCrash({
    place,
    workers,
    random: random.split("crash"),
    totals,
  });
  crashing.end();
  const { checks: openChecks, ...found } = open;
  const checks = [...openChecks, ...crashChecks];
  return {
    kind: "embedded",
    ok: checks.every(({ held }) => held),
    checks,
    options: { workers, seconds, rows, seed },
    machine: describeMachine(),
    seconds: (performance.now() - started) / 1000,
    ...found,
    crash,
  };
}

/** All that needs one open store. */
async function runOpen(place: StorePlace, options: DemoOptions, random: Prng, progress: Progress) {
  await using store = await openStore(place);
  const { db } = store;
  const { workers, seconds, rows } = options;
  const loading = progress.begin("Loading flights      ", rows);
  const load = await loadFlights(db, rows, loading.update);
  loading.end();
  const moving = progress.begin("Rescheduling flights ", seconds * 1000);
  const { totals } = load;
  const trafficOptions = { workers, seconds, random, totals, onProgress: moving.update };
  const { checks: trafficChecks, ...traffic } = await runTraffic(store, trafficOptions);
  moving.end();
  const { appenders, checks: appenderChecks } = await runAppenders(db, workers);
  const { anomalies, checks: anomalyChecks } = await runAnomalies(db);
  const { crews, checks: crewChecks } = await runCrews(db);
  const checks = [...trafficChecks, ...appenderChecks, ...anomalyChecks, ...crewChecks];
  return { checks, load, traffic, appenders, anomalies, crews };
}
