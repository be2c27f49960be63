/**
 * The anomalies of Adya (1999), in the schedules of Hermitage, and some more, at each isolation level: those that a level
 * permits do happen, the others do not. docs/isolation.md has the table.
 */
import { expect, test } from "vitest";
import { type IsolationLevel, Khonsu, type Transaction } from "../src/index.ts";
import { rows, valueIn } from "./batches.ts";
import { expectSection } from "./generated-section.ts";

const LEVELS = ["read-committed", "repeatable-read", "serializable"] as const;

type Begin = () => Transaction;

interface Anomaly {
  readonly name: string;
  readonly what: string;
  readonly permittedAt: readonly IsolationLevel[];
  /** x is 10 and y is 20 at the beginning. Whether it happened. */
  readonly happens: (begin: Begin) => Promise<boolean>;
}

const value = (tx: Transaction, key: string): number | undefined => valueIn(tx.read(key));
const keys = (tx: Transaction, prefix: string): string => [...tx.scan({ prefix })].map(([key]) => key).join();

/** Whether the commit succeeded. A refusal is one that a retry can help. */
async function commits(tx: Transaction): Promise<boolean> {
  try {
    await tx.commit();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ retryable: true });
    return false;
  }
}

async function bothCommit(first: Transaction, second: Transaction): Promise<boolean> {
  const isFirst = await commits(first);
  return (await commits(second)) && isFirst;
}

const ANOMALIES: readonly Anomaly[] = [
  {
    name: "G0",
    what: "write cycle, dirty write",
    permittedAt: [],
    async happens(begin) {
      const [one, two] = [begin(), begin()];
      one.write("x", rows(1));
      two.write("x", rows(2));
      two.write("y", rows(2));
      one.write("y", rows(1));
      await commits(one);
      await commits(two);
      const later = begin();
      return value(later, "x") !== value(later, "y");
    },
  },
  {
    name: "G1a",
    what: "aborted read",
    permittedAt: [],
    async happens(begin) {
      const [writer, reader] = [begin(), begin()];
      writer.write("x", rows(101));
      const seen = [value(reader, "x")];
      writer.rollback();
      seen.push(value(reader, "x"));
      return (await commits(reader)) && seen.includes(101);
    },
  },
  {
    name: "G1b",
    what: "intermediate read",
    permittedAt: [],
    async happens(begin) {
      const [writer, reader] = [begin(), begin()];
      writer.write("x", rows(101));
      const seen = [value(reader, "x")];
      writer.write("x", rows(11));
      await commits(writer);
      seen.push(value(reader, "x"));
      return (await commits(reader)) && seen.includes(101);
    },
  },
  {
    name: "G1c",
    what: "circular information flow",
    permittedAt: [],
    async happens(begin) {
      const [one, two] = [begin(), begin()];
      one.write("x", rows(11));
      two.write("y", rows(22));
      const sawEachOther = value(one, "y") === 22 && value(two, "x") === 11;
      return (await bothCommit(one, two)) && sawEachOther;
    },
  },
  {
    name: "OTV",
    what: "observed transaction vanishes",
    permittedAt: [],
    async happens(begin) {
      const [one, two, reader] = [begin(), begin(), begin()];
      one.write("x", rows(11));
      one.write("y", rows(19));
      two.write("x", rows(12));
      two.write("y", rows(18));
      await commits(one);
      const sawOne = value(reader, "x") === 11;
      await commits(two);
      const lostOne = sawOne && value(reader, "y") === 20;
      const sawTwo = value(reader, "y") === 18;
      const lostTwo = sawTwo && value(reader, "x") !== 12;
      return (await commits(reader)) && (lostOne || lostTwo);
    },
  },
  {
    name: "P2",
    what: "non-repeatable read",
    permittedAt: ["read-committed"],
    async happens(begin) {
      const [reader, writer] = [begin(), begin()];
      const before = value(reader, "x");
      writer.write("x", rows(11));
      await commits(writer);
      return value(reader, "x") !== before && commits(reader);
    },
  },
  {
    name: "PMP",
    what: "predicate-many-preceders: a scan, again, finds an insert",
    permittedAt: ["read-committed"],
    async happens(begin) {
      const [reader, writer] = [begin(), begin()];
      const before = keys(reader, "new/");
      writer.write("new/1", rows(30));
      await commits(writer);
      return keys(reader, "new/") !== before && commits(reader);
    },
  },
  {
    name: "P4",
    what: "lost update",
    permittedAt: [],
    async happens(begin) {
      const [one, two] = [begin(), begin()];
      const [seenByOne, seenByTwo] = [value(one, "x")!, value(two, "x")!];
      one.write("x", rows(seenByOne + 1));
      two.write("x", rows(seenByTwo + 1));
      return bothCommit(one, two);
    },
  },
  {
    name: "G-single",
    what: "read skew",
    permittedAt: ["read-committed"],
    async happens(begin) {
      const [reader, writer] = [begin(), begin()];
      const x = value(reader, "x");
      writer.write("x", rows(12));
      writer.write("y", rows(18));
      await commits(writer);
      const y = value(reader, "y");
      return (await commits(reader)) && x === 10 && y === 18;
    },
  },
  {
    name: "G2-item",
    what: "write skew",
    permittedAt: ["read-committed", "repeatable-read"],
    async happens(begin) {
      const [one, two] = [begin(), begin()];
      for (const tx of [one, two]) for (const key of ["x", "y"]) value(tx, key);
      one.write("x", rows(0));
      two.write("y", rows(0));
      return bothCommit(one, two);
    },
  },
  {
    name: "G2-item, absent keys",
    what: "write skew over keys that are not there",
    permittedAt: ["read-committed", "repeatable-read"],
    async happens(begin) {
      const [one, two] = [begin(), begin()];
      if (value(one, "a") !== undefined || value(two, "b") !== undefined) return false;
      one.write("b", rows(1));
      two.write("a", rows(1));
      return bothCommit(one, two);
    },
  },
  {
    name: "G2",
    what: "write skew over a predicate: each inserts what the other's scan did not find",
    permittedAt: ["read-committed", "repeatable-read"],
    async happens(begin) {
      const [one, two] = [begin(), begin()];
      if (keys(one, "new/") !== "" || keys(two, "new/") !== "") return false;
      one.write("new/1", rows(30));
      two.write("new/2", rows(42));
      return bothCommit(one, two);
    },
  },
  {
    name: "G2, two edges",
    what: "a writer commits between a scan and a write of one that another's scan precedes",
    permittedAt: ["read-committed", "repeatable-read"],
    async happens(begin) {
      const first = begin();
      keys(first, "");
      const second = begin();
      second.write("y", rows(25));
      await commits(second);
      const third = begin();
      keys(third, "");
      const isThird = await commits(third);
      first.write("x", rows(0));
      return (await commits(first)) && isThird;
    },
  },
  {
    name: "read-only",
    what: "a transaction that only reads completes a cycle of two writers (Fekete, O'Neil, O'Neil 2004)",
    permittedAt: ["read-committed", "repeatable-read"],
    async happens(begin) {
      const withdraw = begin();
      const total = value(withdraw, "x")! + value(withdraw, "y")!;
      const deposit = begin();
      deposit.write("y", rows(value(deposit, "y")! + 20));
      const isDeposited = await commits(deposit);
      const report = begin();
      const reported = [value(report, "x"), value(report, "y")];
      const isReported = await commits(report);
      withdraw.write("x", rows(total < 40 ? -1 : 0));
      return (await commits(withdraw)) && isDeposited && isReported && reported.join() === "10,40";
    },
  },
  {
    name: "long fork",
    what: "two readers see two writes in opposite orders",
    permittedAt: ["read-committed"],
    async happens(begin) {
      const [one, two, reader, other] = [begin(), begin(), begin(), begin()];
      const seen = [value(reader, "y")];
      const seenByOther = [value(other, "x")];
      one.write("x", rows(11));
      two.write("y", rows(21));
      await bothCommit(one, two);
      seen.push(value(reader, "x"));
      seenByOther.push(value(other, "y"));
      const isFork = seen.join() === "20,11" && seenByOther.join() === "10,21";
      return (await bothCommit(reader, other)) && isFork;
    },
  },
  {
    name: "delete and re-insert",
    what: "an update based on a value that was deleted and written again, the same, meanwhile",
    permittedAt: [],
    async happens(begin) {
      const slow = begin();
      const seen = value(slow, "x")!;
      const remover = begin();
      remover.delete("x");
      await commits(remover);
      const again = begin();
      again.write("x", rows(seen));
      await commits(again);
      slow.write("x", rows(seen + 1));
      return commits(slow);
    },
  },
];

const CASES = ANOMALIES.flatMap((anomaly) =>
  LEVELS.map((level) => ({
    ...anomaly,
    level,
    verdict: anomaly.permittedAt.includes(level) ? "happens" : "is prevented",
  })),
);

test.each(CASES)("$name ($what) $verdict under $level", async ({ happens, level, permittedAt }) => {
  await using db = await Khonsu.open({ isolation: level });
  await db.transact((tx) => {
    tx.write("x", rows(10));
    tx.write("y", rows(20));
  });
  const begun: Transaction[] = [];
  const begin = (): Transaction => {
    const tx = db.begin();
    begun.push(tx);
    return tx;
  };
  expect(await happens(begin)).toBe(permittedAt.includes(level));
  for (const tx of begun) tx[Symbol.dispose]();
  const { keys: kept, versions, openTransactions, trackedRanges } = db.stats();
  expect({ versions, openTransactions, trackedRanges }).toEqual({
    versions: kept,
    openTransactions: 0,
    trackedRanges: 0,
  });
});

test("the table in the documentation is what these tests show", () => {
  const header = `| anomaly | what | ${LEVELS.map((level) => `\`${level}\``).join(" | ")} |`;
  const lines = ANOMALIES.map(({ name, what, permittedAt }) => {
    const cells = LEVELS.map((level) => (permittedAt.includes(level) ? "happens" : "prevented"));
    return `| ${name} | ${what} | ${cells.join(" | ")} |`;
  });
  const rule = `| --- | --- | ${LEVELS.map(() => "---").join(" | ")} |`;
  expectSection("isolation.md", "anomalies", [header, rule, ...lines].join("\n"));
});
