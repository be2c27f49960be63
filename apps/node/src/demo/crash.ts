/**
 * Kills a process in the middle of its commits (SIGKILL: it has no say), opens what it left, and compares that with what it
 * had acknowledged: each of those commits must be there, and every commit that is there must be whole.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Prng } from "@khonsu/testkit/simulator";
import { auditByScan } from "./audit.ts";
import { type Check, check } from "./check.ts";
import type { CrashOrders } from "./crash-child.ts";
import { areEqual, type Totals } from "./flights.ts";
import { nextMoveId, readMoves, sizesAfter, slotSizes } from "./move-log.ts";
import { openStore, type StorePlace } from "./store.ts";
import { describe } from "./traffic.ts";

const ACKNOWLEDGED_MIN = 200;
const ACKNOWLEDGED_MAX = 1000;
/** On a slow disk it is killed earlier: so long after its first acknowledgement. */
const PATIENCE_MS = 5000;
/** How long the first acknowledgement may take. */
const START_MS = 60_000;

export interface CrashOptions {
  readonly place: StorePlace;
  readonly workers: number;
  readonly random: Prng;
  readonly totals: Totals;
}

export interface CrashResult {
  /** Commits whose acknowledgement left the process before it died. */
  readonly acknowledged: number;
  /** Of these, the ones that are there. */
  readonly recovered: number;
  /** Commits that are there although the process died before it could acknowledge them. */
  readonly unacknowledged: number;
  /** Milliseconds to open the store after the kill, and to load all of it. */
  readonly reopenMilliseconds: number;
  readonly checks: readonly Check[];
}

export async function runCrash({ place, workers, random, totals }: CrashOptions): Promise<CrashResult> {
  const before = await inspect(place, 0);
  const orders = { place, workers, seed: `crash/${random.uint32()}`, firstId: before.nextId };
  const killed = await killAfter(orders, random.integer(ACKNOWLEDGED_MIN, ACKNOWLEDGED_MAX));
  const after = await inspect(place, before.nextId);
  const there = new Set(after.moves.map(({ id }) => id));
  const recovered = killed.acknowledged.filter((id) => there.has(id)).length;
  const lost = killed.acknowledged.length - recovered;
  const expectedSizes = sizesAfter(before.sizes, after.moves);
  const torn = after.sizes.filter((size, slot) => size !== expectedSizes[slot]).length;
  return {
    acknowledged: killed.acknowledged.length,
    recovered,
    unacknowledged: there.size - recovered,
    reopenMilliseconds: after.openMilliseconds,
    checks: [
      check(
        "The process was killed in the middle of its commits",
        killed.signal === "SIGKILL" && killed.acknowledged.length > 0,
        killed.how,
      ),
      check(
        "Every acknowledged commit is there",
        lost === 0,
        `${lost} of ${killed.acknowledged.length} are lost`,
      ),
      check("No commit is there in part", torn === 0, `${torn} slots are not as the log of moves says`),
      check(
        "All flights and both checksums survived",
        areEqual(after.totals, totals),
        describe(after.totals),
      ),
    ],
  };
}

/** Opens the store, looks at everything, and closes it. */
async function inspect(place: StorePlace, firstId: number) {
  const started = performance.now();
  await using store = await openStore(place);
  const openMilliseconds = performance.now() - started;
  const totals = await auditByScan(store.db);
  const seen = await store.db.transact((tx) => ({
    sizes: slotSizes(tx),
    moves: readMoves(tx, firstId),
    nextId: nextMoveId(tx),
  }));
  return { ...seen, totals, openMilliseconds };
}

interface Killed {
  readonly acknowledged: readonly number[];
  readonly signal: NodeJS.Signals | null;
  readonly how: string;
}

/** Runs the child until it has acknowledged so many commits, or for so long, then kills it; what it still managed to say counts. */
async function killAfter(orders: CrashOrders, acknowledgements: number): Promise<Killed> {
  const program = fileURLToPath(new URL("./crash-child.ts", import.meta.url));
  const child = fork(program, [JSON.stringify(orders)], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const exited = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const kill = () => child.kill("SIGKILL");
  let deadline = setTimeout(kill, START_MS);
  // Before the directory is removed, which it would make anew.
  process.prependOnceListener("exit", kill);
  const acknowledged: number[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      if (acknowledged.push(Number(line)) === acknowledgements) kill();
      if (acknowledged.length > 1) continue;
      clearTimeout(deadline);
      deadline = setTimeout(kill, PATIENCE_MS);
    }
  } finally {
    clearTimeout(deadline);
    kill();
    process.off("exit", kill);
  }
  const [code, signal] = await exited;
  const end = signal === null ? `it ended by itself, with status ${code}` : signal;
  return { acknowledged, signal, how: `${end} after ${acknowledged.length} acknowledged commits` };
}
