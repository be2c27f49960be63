/**
 * What each isolation level permits, shown by the smallest interleavings of two transactions that tell the levels apart.
 * The names are those of Adya's thesis (1999) and of Berenson et al. (1995).
 */
import { type IsolationLevel, isKhonsuError, type Khonsu, type Transaction } from "@khonsu/core";
import { tableFromArrays } from "apache-arrow";
import { type Check, check } from "./check.ts";

export const LEVELS: readonly IsolationLevel[] = ["read-committed", "repeatable-read", "serializable"];

export type Outcome = "permitted" | "prevented";

export interface Anomaly {
  readonly name: string;
  /** What goes wrong where it is permitted. */
  readonly story: string;
  readonly outcomes: Readonly<Record<IsolationLevel, Outcome>>;
}

interface Interleaving {
  readonly name: string;
  readonly story: string;
  /** The levels at which it must not happen; at the others it must. */
  readonly preventedAt: readonly IsolationLevel[];
  /** Runs the steps of two transactions in a fixed order; whether the anomaly came about. */
  readonly run: (db: Khonsu, isolation: IsolationLevel) => Promise<boolean>;
}

const INTERLEAVINGS: readonly Interleaving[] = [
  {
    name: "Lost update",
    story: "two add 1 to the same number, and it grows by 1",
    preventedAt: LEVELS,
    run: lostUpdate,
  },
  {
    name: "Non-repeatable read",
    story: "a second read of a key finds another value",
    preventedAt: ["repeatable-read", "serializable"],
    run: nonRepeatableRead,
  },
  {
    name: "Phantom",
    story: "a second scan of a range finds another key",
    preventedAt: ["repeatable-read", "serializable"],
    run: phantom,
  },
  {
    name: "Write skew",
    story: "of two on duty each goes, since the other stays",
    preventedAt: ["serializable"],
    run: writeSkew,
  },
  {
    name: "Write skew over a range",
    story: "two each take the last place, under different keys",
    preventedAt: ["serializable"],
    run: rangeWriteSkew,
  },
];

export async function runAnomalies(db: Khonsu): Promise<{ anomalies: Anomaly[]; checks: Check[] }> {
  const anomalies: Anomaly[] = [];
  const checks: Check[] = [];
  for (const { name, story, preventedAt, run } of INTERLEAVINGS) {
    const outcomes: Partial<Record<IsolationLevel, Outcome>> = {};
    for (const level of LEVELS) outcomes[level] = (await run(db, level)) ? "permitted" : "prevented";
    anomalies.push({ name, story, outcomes: outcomes as Record<IsolationLevel, Outcome> });
    const isAsDocumented = LEVELS.every(
      (level) => (outcomes[level] === "prevented") === preventedAt.includes(level),
    );
    const found = LEVELS.map((level) => `${outcomes[level]} under ${level}`).join(", ");
    checks.push(check(`${name}: prevented exactly where the level says so`, isAsDocumented, found));
  }
  return { anomalies, checks };
}

async function lostUpdate(db: Khonsu, isolation: IsolationLevel): Promise<boolean> {
  await put(db, "anomaly/counter", 0);
  using first = db.begin({ isolation });
  using second = db.begin({ isolation });
  for (const tx of [first, second]) tx.write("anomaly/counter", one(numberAt(tx, "anomaly/counter") + 1));
  await tryCommit(first);
  const bothCommitted = await tryCommit(second);
  return bothCommitted && (await get(db, "anomaly/counter")) === 1;
}

async function nonRepeatableRead(db: Khonsu, isolation: IsolationLevel): Promise<boolean> {
  await put(db, "anomaly/gate", 1);
  using reader = db.begin({ isolation });
  const before = numberAt(reader, "anomaly/gate");
  await put(db, "anomaly/gate", 2);
  return numberAt(reader, "anomaly/gate") !== before;
}

async function phantom(db: Khonsu, isolation: IsolationLevel): Promise<boolean> {
  await clear(db, "anomaly/seat/");
  using reader = db.begin({ isolation });
  const before = countOf(reader, "anomaly/seat/");
  await put(db, "anomaly/seat/1A", 1);
  return countOf(reader, "anomaly/seat/") !== before;
}

async function writeSkew(db: Khonsu, isolation: IsolationLevel): Promise<boolean> {
  await put(db, "anomaly/duty/ada", 1);
  await put(db, "anomaly/duty/ben", 1);
  const goOff = (tx: Transaction, who: string) => {
    const onDuty = numberAt(tx, "anomaly/duty/ada") + numberAt(tx, "anomaly/duty/ben");
    if (onDuty > 1) tx.write(`anomaly/duty/${who}`, one(0));
  };
  using first = db.begin({ isolation });
  using second = db.begin({ isolation });
  goOff(first, "ada");
  goOff(second, "ben");
  await tryCommit(first);
  await tryCommit(second);
  return (await get(db, "anomaly/duty/ada")) + (await get(db, "anomaly/duty/ben")) === 0;
}

async function rangeWriteSkew(db: Khonsu, isolation: IsolationLevel): Promise<boolean> {
  const places = 1;
  await clear(db, "anomaly/standby/");
  const take = (tx: Transaction, who: string) => {
    if (countOf(tx, "anomaly/standby/") < places) tx.write(`anomaly/standby/${who}`, one(1));
  };
  using first = db.begin({ isolation });
  using second = db.begin({ isolation });
  take(first, "ada");
  take(second, "ben");
  await tryCommit(first);
  await tryCommit(second);
  return (await db.transact((tx) => countOf(tx, "anomaly/standby/"))) > places;
}

/** Whether it committed; a conflict is an answer, anything else is an error. */
async function tryCommit(tx: Transaction): Promise<boolean> {
  try {
    await tx.commit();
    return true;
  } catch (error) {
    if (
      isKhonsuError(error, "KHONSU_WRITE_CONFLICT") ||
      isKhonsuError(error, "KHONSU_SERIALIZATION_FAILURE")
    ) {
      return false;
    }
    throw error;
  }
}

function one(value: number) {
  return tableFromArrays({ value: [value] });
}

function numberAt(tx: Transaction, key: string): number {
  return tx.read(key)?.getChild("value")?.get(0) ?? 0;
}

function countOf(tx: Transaction, prefix: string): number {
  return [...tx.scan({ prefix })].length;
}

function put(db: Khonsu, key: string, value: number): Promise<void> {
  return db.transact((tx) => tx.write(key, one(value)));
}

function get(db: Khonsu, key: string): Promise<number> {
  return db.transact((tx) => numberAt(tx, key));
}

function clear(db: Khonsu, prefix: string): Promise<void> {
  return db.transact((tx) => {
    for (const [key] of tx.scan({ prefix })) tx.delete(key);
  });
}
