/** Workers that reschedule flights, beside audits at three strengths, for some seconds. */
import type { Prng } from "@khonsu/testkit/simulator";
import { type AuditCounts, auditByKey, auditByScan, auditUntil } from "./audit.ts";
import { type Check, check } from "./check.ts";
import { areEqual, type Totals } from "./flights.ts";
import { type Latency, LatencyRecorder } from "./latency.ts";
import { nextMoveId, readMoves, sizesAfter, slotSizes } from "./move-log.ts";
import { drawPlan, reschedule } from "./reschedule.ts";
import type { DemoStore } from "./store.ts";
import { runWorkers } from "./workers.ts";

export interface TrafficOptions {
  readonly workers: number;
  readonly seconds: number;
  readonly random: Prng;
  readonly totals: Totals;
  readonly onProgress: (milliseconds: number) => void;
}

export interface TrafficResult {
  readonly seconds: number;
  readonly commits: number;
  readonly commitsPerSecond: number;
  readonly flightsMoved: number;
  /** How many commits went to disk with one write, on average. */
  readonly commitsPerWrite: number;
  readonly retries: number;
  readonly conflicts: { readonly writeWrite: number; readonly serialization: number };
  /** Milliseconds from the first attempt until the commit is on disk, retries included. */
  readonly latency: Latency;
  readonly audits: {
    readonly safeSnapshot: AuditCounts;
    readonly serializable: AuditCounts;
    readonly readCommitted: AuditCounts;
  };
  readonly checks: readonly Check[];
}

export async function runTraffic(store: DemoStore, options: TrafficOptions): Promise<TrafficResult> {
  const { db } = store;
  const { totals, random } = options;
  const before = await db.transact((tx) => ({ sizes: slotSizes(tx), firstId: nextMoveId(tx) }));
  const stats = db.stats();
  const groups = store.groups();
  const latency = new LatencyRecorder();
  const started = performance.now();
  const isOver = () => performance.now() - started >= options.seconds * 1000;
  let nextId = before.firstId;
  let commits = 0;
  let flightsMoved = 0;
  const streams = Array.from({ length: options.workers }, (_, worker) => random.split(worker));
  const step = async (worker: number) => {
    const move = await latency.time(() => reschedule(db, drawPlan(streams[worker]!, nextId++)));
    if (move === undefined) return;
    commits++;
    flightsMoved += move.flights;
    options.onProgress(performance.now() - started);
  };
  const [, safeSnapshot, serializable, readCommitted] = await Promise.all([
    runWorkers(options.workers, isOver, step),
    auditUntil(isOver, totals, () => auditByScan(db)),
    auditUntil(isOver, totals, () => auditByKey(db, "serializable")),
    auditUntil(isOver, totals, () => auditByKey(db, "read-committed")),
  ]);
  const seconds = (performance.now() - started) / 1000;
  const written = store.groups();
  const after = db.stats();
  const found = await auditByScan(db);
  const ledger = await db.transact((tx) => ({ sizes: slotSizes(tx), moves: readMoves(tx, before.firstId) }));
  const expectedSizes = sizesAfter(before.sizes, ledger.moves);
  const audits = safeSnapshot.audits + serializable.audits;
  const wrong = safeSnapshot.wrong + serializable.wrong;
  return {
    seconds,
    commits,
    commitsPerSecond: commits / seconds,
    flightsMoved,
    commitsPerWrite: (written.commits - groups.commits) / (written.groups - groups.groups),
    retries: after.retries - stats.retries,
    conflicts: {
      writeWrite: after.conflicts.writeWrite - stats.conflicts.writeWrite,
      serialization: after.conflicts.serialization - stats.conflicts.serialization,
    },
    latency: latency.summary,
    audits: { safeSnapshot, serializable, readCommitted },
    checks: [
      check(
        "Every audit of a snapshot saw all flights",
        wrong === 0,
        `${wrong} of ${audits} audits were wrong`,
      ),
      check("At the end all flights and both checksums are there", areEqual(found, totals), describe(found)),
      check(
        "The log has each acknowledged move once",
        ledger.moves.length === commits && new Set(ledger.moves.map(({ id }) => id)).size === commits,
        `${ledger.moves.length} rows for ${commits} acknowledged moves`,
      ),
      check(
        "The log accounts for the size of every slot",
        ledger.sizes.every((size, slot) => size === expectedSizes[slot]),
        `${ledger.sizes.filter((size, slot) => size !== expectedSizes[slot]).length} slots differ`,
      ),
    ],
  };
}

export function describe({ flights, distance, delay }: Totals): string {
  return `${flights} flights, ${distance} miles, ${delay} minutes of delay`;
}
