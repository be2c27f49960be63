/**
 * YCSB A to F (Cooper et al., SoCC 2010) as transactions: each is four operations of the workload's mix at one snapshot. A record is a
 * batch of one row with ten fields of 100 bytes. Keys follow Zipf's distribution with 0.99, scattered over the key space; D reads
 * what was inserted last.
 */
import type { Prng } from "@khonsu/testkit/simulator";
import { Zipf } from "@khonsu/testkit/workloads";
import { type RecordOf, RecordType } from "./record-type.ts";
import type { RecordStore, Records, RecordUnit, RecordWorkload } from "./records.ts";
import { assertEqual, inTransactions, type Outcome } from "./workload.ts";

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
const RECORD = {
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
} as const;
type Row = typeof RECORD;

type Step = (records: Records<Row>) => Promise<void>;

export class Ycsb implements RecordWorkload<Row> {
  readonly name: string;
  readonly type = new RecordType(RECORD);
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

  async load(store: RecordStore<Row>): Promise<void> {
    const numbers = Array.from({ length: this.#loaded }, (_, index) => index);
    await inTransactions(store, numbers, (rows: Records<Row>, number) =>
      rows.add(keyOf(number), recordOf(number)),
    );
  }

  next(random: Prng): RecordUnit<Row> {
    const operations = Array.from({ length: OPERATIONS }, () => random.weighted(MIXES[this.#letter]));
    const steps = operations.map((operation) => this.#step(operation, random));
    const inserts = operations.filter((operation) => operation === "insert").length;
    const isReadOnly = operations.every((operation) => operation === "read" || operation === "scan");
    const body = async (records: Records<Row>) => {
      for (const step of steps) await step(records);
    };
    const run = async (store: RecordStore<Row>): Promise<Outcome> => {
      await store.transact(body, { readOnly: isReadOnly });
      this.#inserted += inserts;
      return "committed";
    };
    return { kind: isReadOnly ? "read-only" : "writing", run };
  }

  async check(store: RecordStore<Row>): Promise<void> {
    const found = await store.transact(
      async (records) => {
        let count = 0;
        for await (const _ of records.scan("user", this.#numbered)) count++;
        return count;
      },
      { readOnly: true },
    );
    assertEqual("records", found, this.#inserted);
  }

  #step(operation: Operation, random: Prng): Step {
    if (operation === "insert") {
      const number = this.#numbered++;
      return async (records) => records.put(keyOf(number), recordOf(number));
    }
    const key = keyOf(this.#draw(random));
    if (operation === "update") return async (records) => records.put(key, recordOf(random.uint32()));
    if (operation === "read-modify-write") return (records) => modify(records, key, random.uint32());
    if (operation === "read") return async (records) => void (await records.get(key));
    const limit = random.integer(1, SCAN_MAX);
    return async (records) => {
      for await (const _ of records.scan(key, limit));
    };
  }

  /** The rank of a record counts from the newest in D, otherwise from the first. */
  #draw(random: Prng): number {
    const rank = this.#zipf.draw(random);
    return this.#letter === "D" ? this.#inserted - 1 - rank : rank;
  }
}

async function modify(records: Records<Row>, key: string, seed: number): Promise<void> {
  const record = await records.get(key);
  if (record === undefined) throw new Error(`Invariant: ${key} was loaded`);
  records.put(key, { ...record, field0: textOf(seed) });
}

/** Neighbouring numbers lie far apart: a bijection of 32 bits. */
function keyOf(number: number): string {
  const scattered = Math.imul(number ^ 0x5bd1e995, 0x9e3779b1) >>> 0;
  return `user${scattered.toString().padStart(10, "0")}`;
}

function recordOf(seed: number): RecordOf<Row> {
  const text = textOf(seed);
  return {
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
  };
}

function textOf(seed: number): string {
  return `${seed} `.padEnd(FIELD_BYTES, "khonsu");
}
