/**
 * The heap over ten million commits on a fixed set of keys, after a garbage collection at each point: flat means that
 * nothing of past commits is kept. The second half runs with one snapshot open: it may keep one version a key, not more.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BATCH } from "../one-row.ts";
import type { Progress } from "../progress.ts";
import type { Detail, SuiteResult } from "../report/row.ts";
import { pickKeys } from "../workload.ts";
import { openFilled } from "./core.ts";
import type { SuiteOptions } from "./index.ts";

const KEYS = 10_000;
const POINTS = 10;

export function memory({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  return memoryOver(quick ? 1_000_000 : 10_000_000, progress);
}

export async function memoryOver(commits: number, progress: Progress): Promise<SuiteResult> {
  const keys = Array.from({ length: KEYS }, (_, index) => `key/${index}`);
  const next = pickKeys(keys);
  const db = await openFilled(keys);
  const collect = garbageCollector();
  const rows: Detail[] = [];
  progress.plan(2 * POINTS);
  for (const phase of ["no snapshot open", "one snapshot open"] as const) {
    using snapshot = phase === "one snapshot open" ? db.begin() : undefined;
    for (let point = 1; point <= POINTS; point++) {
      for (let i = 0; i < commits / 2 / POINTS; i++) {
        await db.transact((tx) => {
          tx.read(next());
          tx.write(next(), BATCH);
        });
      }
      collect();
      progress.step(phase);
      const { versions, trackedRanges, lastCommit } = db.stats();
      const heapMiB = Number((process.memoryUsage().heapUsed / 2 ** 20).toFixed(1));
      rows.push({ phase, commits: lastCommit, "heap MiB": heapMiB, versions, trackedRanges });
    }
    snapshot?.read("key/0");
  }
  await db.close();
  return { rows: [], details: rows };
}

function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
