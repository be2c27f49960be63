/**
 * Every interleaving of small transactions, against three judges: the brute-force oracle of serializability, exact models
 * of snapshot isolation, read committed and SSI, and what other rules would have refused (docs/isolation.md has the table).
 */
import { expect, test } from "vitest";
import type { IsolationLevel, TransactionOptions } from "../src/index.ts";
import { expectSection } from "./generated-section.ts";
import { type Rule, runOnModel } from "./schedules/on-model.ts";
import { type Initial, runOnStore } from "./schedules/on-store.ts";
import {
  choices,
  describeProgram,
  type Execution,
  interleavings,
  isReadOnly,
  type Op,
  type Program,
  programs,
  type Schedule,
} from "./schedules/program.ts";
import { isSame, isSameContents, isSerializable } from "./schedules/serializability.ts";

interface Space {
  readonly name: string;
  readonly initial: Initial;
  readonly programs: readonly Program[];
  readonly transactions: number;
  /** How many steps, the commit included, are taken at once, from the first on. */
  readonly blocks: readonly number[];
}

const op = (text: string): Op => {
  const [kind, key] = text.split(" ");
  return (kind === "scan" ? { kind } : { kind, key }) as Op;
};
const alphabet = (...texts: string[]): Op[] => texts.map(op);
const pairs = (reads: string[], writes: string[]): Program[] =>
  alphabet(...reads).flatMap((read) => alphabet(...writes).map((write) => [read, write]));

const KEYS = ["x", "y", "z"];
const BOTH = new Map([
  ["x", 1],
  ["y", 2],
]);

const SPACES: readonly Space[] = [
  {
    name: "two transactions of two operations, both keys there",
    initial: BOTH,
    programs: programs(alphabet("read x", "read y", "write x", "write y", "delete x", "append x", "scan"), 2),
    transactions: 2,
    blocks: [1, 1, 1],
  },
  {
    name: "two transactions of two operations, one key absent",
    initial: new Map([["y", 2]]),
    programs: programs(alphabet("read x", "read y", "write x", "write y", "delete y", "append x", "scan"), 2),
    transactions: 2,
    blocks: [1, 1, 1],
  },
  {
    name: "two transactions of three operations",
    initial: BOTH,
    programs: programs(alphabet("read x", "write y", "delete x", "scan"), 3),
    transactions: 2,
    blocks: [2, 1, 1],
  },
  {
    name: "three transactions, reads and writes of two keys",
    initial: BOTH,
    programs: programs(alphabet("read x", "read y", "write x", "write y"), 2),
    transactions: 3,
    blocks: [1, 2],
  },
  {
    name: "three transactions, scans, inserts and deletes",
    initial: new Map([["y", 2]]),
    programs: programs(alphabet("scan", "write x", "delete y", "read z"), 2),
    transactions: 3,
    blocks: [1, 2],
  },
  {
    name: "three transactions that read one of three keys and change one",
    initial: new Map([...BOTH, ["z", 3]]),
    programs: [
      ...pairs(["read x", "read y", "read z"], ["write x", "write y", "write z"]),
      ...pairs(["read x", "read y"], ["read z"]),
    ],
    transactions: 3,
    blocks: [1, 2],
  },
];

interface Case {
  readonly programs: readonly Program[];
  readonly schedule: Schedule;
  readonly initial: Initial;
}

function* casesOf(space: Space): Generator<Case> {
  const orders = [...interleavings(Array.from({ length: space.transactions }, () => space.blocks.length))];
  const schedules = orders.map((order) => {
    const next = order.map(() => 0);
    return order.flatMap((index) => Array.from({ length: space.blocks[next[index]!++]! }, () => index));
  });
  for (const chosen of choices(space.programs, space.transactions)) {
    if (chosen.every(isReadOnly)) continue;
    for (const schedule of schedules) yield { programs: chosen, schedule, initial: space.initial };
  }
}

function describe({ programs, schedule, initial }: Case): string {
  const lines = programs.map((program, index) => `transaction ${index}: ${describeProgram(program)}, commit`);
  return [`initially ${JSON.stringify([...initial])}`, ...lines, `order ${schedule.join(" ")}`].join("\n");
}

const onStore = (
  each: Case,
  isolation: IsolationLevel,
  options: TransactionOptions = {},
  declaresReadOnly = false,
) => runOnStore(each.programs, each.schedule, each.initial, { ...options, isolation }, declaresReadOnly);
const onModel = (each: Case, rule: Rule) =>
  runOnModel(each.programs, each.schedule, each.initial, KEYS, rule);

/** What differs in commits, in what those that committed read, or in what remains. */
function difference(actual: Execution, expected: Execution): string | undefined {
  for (const [index, transaction] of actual.transactions.entries()) {
    const other = expected.transactions[index]!;
    if (transaction.isCommitted !== other.isCommitted) {
      return `transaction ${index} ${transaction.isCommitted ? "committed" : "was refused"}`;
    }
    const isSameView = transaction.observed.every((seen, read) => isSame(seen, other.observed[read]));
    if (!isSameView) return `transaction ${index} saw something else`;
  }
  return isSameContents(actual.final, expected.final) ? undefined : "something else remains";
}

/** Strictly serializable: also in the order of those that did not overlap. */
function violation({ transactions, final }: Execution, initial: Initial): string | undefined {
  return isSerializable(transactions, initial, final, true) ? undefined : "no serial order explains it";
}

interface Counts {
  committed: number;
  refused: number;
  needless: number;
  notSerializable: number;
}

const NAMES = {
  fail: "Khonsu, `serializable`",
  replace: 'Khonsu, `serializable`, `onConflict: "replace"`',
  "write-snapshot isolation": "read validation, WSI (model)",
  "snapshot isolation": "first committer wins, SI (model)",
} as const;
type Row = keyof typeof NAMES;

class Tally {
  readonly #rows = new Map(
    Object.keys(NAMES).map((row) => [
      row as Row,
      { committed: 0, refused: 0, needless: 0, notSerializable: 0 } satisfies Counts,
    ]),
  );
  schedules = 0;

  add(row: Row, { transactions, final }: Execution, initial: Initial): void {
    const counts = this.#rows.get(row)!;
    if (!isSerializable(transactions, initial, final, false)) counts.notSerializable++;
    for (const [index, transaction] of transactions.entries()) {
      if (transaction.isCommitted) {
        counts.committed++;
        continue;
      }
      counts.refused++;
      const withIt = transactions.map((other, at) => ({
        ...other,
        isCommitted: at === index || (other.isCommitted && other.endedAt < transaction.endedAt),
      }));
      if (isSerializable(withIt, initial, undefined, false)) counts.needless++;
    }
  }

  toString(): string {
    const header = [
      "| rule | committed | refused | of these needlessly | schedules not serializable |",
      "| --- | ---: | ---: | ---: | ---: |",
    ];
    const rows = [...this.#rows].map(([row, { committed, refused, needless, notSerializable }]) => {
      return `| ${NAMES[row]} | ${committed} | ${refused} | ${needless} | ${notSerializable} |`;
    });
    return [...header, ...rows].join("\n");
  }
}

const everySchedule = new Tally();
/** Of the schedules in which no two transactions change the same key: there rules differ in what they make of reads. */
const withoutWriteConflicts = new Tally();
let spacesRun = 0;

function mayConflictOnWrites(programs: readonly Program[]): boolean {
  const changed = programs.map(
    (program) =>
      new Set(program.flatMap((each) => ("key" in each && each.kind !== "read" ? [each.key] : []))),
  );
  return changed.some((keys, index) =>
    changed.slice(0, index).some((others) => [...keys].some((key) => others.has(key))),
  );
}

test.each(SPACES)("every interleaving: $name", { timeout: 120_000 }, async (space) => {
  const failures: string[] = [];
  const expectNothing = (each: Case, what: string, finding: string | undefined) => {
    if (finding !== undefined) failures.push(`${describe(each)}\n${what}: ${finding}`);
  };
  for (const each of casesOf(space)) {
    const serializable = await onStore(each, "serializable");
    expectNothing(each, "serializable", difference(serializable, onModel(each, "ssi")));
    expectNothing(each, "serializable", violation(serializable, each.initial));
    const resolved = await onStore(each, "serializable", { onConflict: "replace" });
    expectNothing(each, "serializable, replace", violation(resolved, each.initial));
    if (each.programs.some(isReadOnly)) {
      const declared = await onStore(each, "serializable", {}, true);
      expectNothing(each, "declared read-only", difference(declared, serializable));
    }
    const snapshot = onModel(each, "snapshot isolation");
    expectNothing(each, "repeatable read", difference(await onStore(each, "repeatable-read"), snapshot));
    const readCommitted = await onStore(each, "read-committed");
    expectNothing(each, "read committed", difference(readCommitted, onModel(each, "read committed")));
    if (failures.length > 3) break;
    const validated = onModel(each, "write-snapshot isolation");
    for (const tally of mayConflictOnWrites(each.programs)
      ? [everySchedule]
      : [everySchedule, withoutWriteConflicts]) {
      tally.schedules++;
      tally.add("fail", serializable, each.initial);
      tally.add("replace", resolved, each.initial);
      tally.add("write-snapshot isolation", validated, each.initial);
      tally.add("snapshot isolation", snapshot, each.initial);
    }
  }
  expect(failures.join("\n\n")).toBe("");
  spacesRun++;
});

test("how many transactions each rule refuses, and how many of them needlessly", () => {
  expect(spacesRun, "run the whole file").toBe(SPACES.length);
  const content = [
    `Over all ${everySchedule.schedules} schedules of two or three transactions. Blind writes of one key by two transactions are`,
    "refused by the first committer's rule, and need not be; `replace` resolves them:",
    "",
    everySchedule,
    "",
    `Over those ${withoutWriteConflicts.schedules} in which no two transactions change the same key, so that rules differ only in reads:`,
    "",
    withoutWriteConflicts,
  ];
  expectSection("isolation.md", "interleavings", content.join("\n"));
});
