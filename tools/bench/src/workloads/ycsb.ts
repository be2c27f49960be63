/**
 * YCSB A to F (Cooper et al., SoCC 2010) as transactions: each is four operations of the workload's mix at one snapshot. A record is a
 * batch of one row with ten fields of 100 bytes. Keys follow Zipf's distribution with 0.99, scattered over the key space; D reads
 * what was inserted last.
 */
import type { TransactionContext } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";
import { Zipf } from "@khonsu/testkit/workloads";
import { RecordType } from "./record-type.ts";
import {
  assertEqual,
  inTransactions,
  type Outcome,
  type TransactionStore,
  type Unit,
  type Workload,
} from "./workload.ts";

export type YcsbLetter = "A" | "B" | "C" | "D" | "E" | "F";
type Operation = "read" | "update" | "insert" | "scan" | "read-modify-write";

const MIXES: Readonly<Record<YcsbLetter, readonly (readonly [number, Operation])[]>> = {
  A: [
    [50, "read"],
    [50, "update"],
  ],
  B: [
    [95, "read"],
    [5, "update"],
  ],
  C: [[100, "read"]],
  D: [
    [95, "read"],
    [5, "insert"],
  ],
  E: [
    [95, "scan"],
    [5, "insert"],
  ],
  F: [
    [50, "read"],
    [50, "read-modify-write"],
  ],
};

const OPERATIONS = 4;
const SCAN_MAX = 100;
const SKEW = 0.99;
const FIELD_BYTES = 100;
const RECORD = new RecordType({
  field0: "utf8",
  field1: "utf8",
  field2: "utf8",
  field3: "utf8",
  field4: "utf8",
  field5: "utf8",
  field6: "utf8",
  field7: "utf8",
  field8: "utf8",
  field9: "utf8",
});

type Step = (tx: TransactionContext) => Promise<void>;

export class Ycsb implements Workload {
  readonly name: string;
  readonly #letter: YcsbLetter;
  readonly #loaded: number;
  readonly #zipf: Zipf;
  /** Records given a number, and those whose insert was acknowledged. */
  #numbered: number;
  #inserted: number;

  /** @param records loaded before. Default 10,000. */
  constructor(letter: YcsbLetter, records = 10_000) {
    this.name = `YCSB ${letter}`;
    this.#letter = letter;
    this.#loaded = records;
    this.#zipf = new Zipf(records, SKEW);
    this.#numbered = records;
    this.#inserted = records;
  }

  async load(store: TransactionStore): Promise<void> {
    const numbers = Array.from({ length: this.#loaded }, (_, index) => index);
    await inTransactions(store, numbers, (tx, number) => tx.write(keyOf(number), recordOf(number)));
  }

  next(random: Prng): Unit {
    const operations = Array.from({ length: OPERATIONS }, () => random.weighted(MIXES[this.#letter]));
    const steps = operations.map((operation) => this.#step(operation, random));
    const inserts = operations.filter((operation) => operation === "insert").length;
    const isReadOnly = operations.every((operation) => operation === "read" || operation === "scan");
    const body = async (tx: TransactionContext) => {
      for (const step of steps) await step(tx);
    };
    const run = async (store: TransactionStore): Promise<Outcome> => {
      await store.transact(body, { readOnly: isReadOnly });
      this.#inserted += inserts;
      return "committed";
    };
    return { kind: isReadOnly ? "read-only" : "writing", run };
  }

  async check(store: TransactionStore): Promise<void> {
    let records = 0;
    await store.transact(
      async (tx) => {
        records = 0;
        for await (const _ of tx.scan({ prefix: "user" })) records++;
      },
      { readOnly: true },
    );
    assertEqual("records", records, this.#inserted);
  }

  #step(operation: Operation, random: Prng): Step {
    if (operation === "insert") {
      const number = this.#numbered++;
      return async (tx) => tx.write(keyOf(number), recordOf(number));
    }
    const key = keyOf(this.#draw(random));
    if (operation === "update") return async (tx) => tx.write(key, recordOf(random.uint32()));
    if (operation === "read-modify-write") return (tx) => modify(tx, key, random.uint32());
    if (operation === "read") return async (tx) => void (await tx.read(key));
    const limit = random.integer(1, SCAN_MAX);
    return async (tx) => {
      for await (const _ of tx.scan({ from: key, limit }));
    };
  }

  /** The rank of a record counts from the newest in D, otherwise from the first. */
  #draw(random: Prng): number {
    const rank = this.#zipf.draw(random);
    return this.#letter === "D" ? this.#inserted - 1 - rank : rank;
  }
}

async function modify(tx: TransactionContext, key: string, seed: number): Promise<void> {
  const record = RECORD.row(await tx.read(key));
  tx.write(key, RECORD.batch({ ...record, field0: textOf(seed) }));
}

/** Neighbouring numbers lie far apart: a bijection of 32 bits. */
function keyOf(number: number): string {
  const scattered = Math.imul(number ^ 0x5bd1e995, 0x9e3779b1) >>> 0;
  return `user${scattered.toString().padStart(10, "0")}`;
}

function recordOf(seed: number) {
  const text = textOf(seed);
  return RECORD.batch({
    field0: text,
    field1: text,
    field2: text,
    field3: text,
    field4: text,
    field5: text,
    field6: text,
    field7: text,
    field8: text,
    field9: text,
  });
}

function textOf(seed: number): string {
  return `${seed} `.padEnd(FIELD_BYTES, "khonsu");
}
