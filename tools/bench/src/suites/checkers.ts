/** Speed of the history checkers: a list-append history from the file to the verdict, and registers for linearizability. */
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { checkLinearizable, checkTransactions } from "@khonsu/testkit/checkers";
import { type Operation, readJsonLines, writeJsonLines } from "@khonsu/testkit/history";
import { Prng } from "@khonsu/testkit/simulator";
import { Workload } from "@khonsu/testkit/workloads";
import { median } from "../compare.ts";
import type { Detail, MeasuredRow, SuiteResult } from "../report/row.ts";
import { serialHistory } from "./serial-history.ts";

export interface CheckersOptions {
  /** Transactions of the list-append history. Default 1 000 000. */
  readonly transactions?: number;
  /** Operations on registers. Default 100 000 on 100 keys. */
  readonly operations?: number;
  /** Default 3. */
  readonly rounds?: number;
}

export async function checkers(options: CheckersOptions = {}): Promise<SuiteResult> {
  const transactions = options.transactions ?? 1_000_000;
  const directory = mkdtempSync(join(tmpdir(), "khonsu-bench-"));
  try {
    const file = join(directory, "history.jsonl");
    const workload = new Workload({ seed: "bench", keys: 20 });
    await pipeline(
      Readable.from(writeJsonLines(serialHistory(workload, transactions, 20))),
      createWriteStream(file),
    );
    const rounds: Detail[][] = [];
    for (let round = options.rounds ?? 3; round > 0; round--)
      rounds.push([await listAppend(file, transactions), registers(options.operations ?? 100_000)]);
    const details = rounds.at(-1)!;
    return { rows: details.map((_, index) => rowOf(rounds.map((round) => round[index]!))), details };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function listAppend(file: string, transactions: number): Promise<Detail> {
  const before = process.cpuUsage();
  const start = performance.now();
  const history: Operation[] = [];
  for await (const operation of readJsonLines(createReadStream(file, "utf8"), file)) history.push(operation);
  const read = performance.now();
  const result = checkTransactions(history);
  const checked = performance.now();
  if (!result.valid || history.length !== transactions)
    throw new Error("A serial history was found at fault");
  return row(
    "list-append, strict-serializable",
    transactions,
    statSync(file).size,
    read - start,
    checked - read,
    process.cpuUsage(before),
  );
}

/** A history of which one operation is to be read and checked, in each round. */
function rowOf(rounds: readonly Detail[]): MeasuredRow {
  const rates = rounds.map((round) => Number(round["operations/s"])).sort((a, b) => a - b);
  const microseconds = (rate: number) => Number((1e6 / rate).toPrecision(4));
  return {
    suite: "checkers",
    case: String(rounds[0]!.history),
    subject: "khonsu testkit",
    ops_per_s: Math.round(median(rates)),
    p50_us: microseconds(median(rates)),
    p99_us: microseconds(rates[0]!),
    rounds: rates.length,
    ratio_to_khonsu: 1,
    ops_per_s_min: rates[0]!,
    ops_per_s_max: rates.at(-1)!,
  };
}

function registers(operations: number): Detail {
  const history = registerHistory(operations, 100);
  const before = process.cpuUsage();
  const start = performance.now();
  const result = checkLinearizable(history);
  const checked = performance.now();
  if (result.valid !== true) throw new Error("A linearizable history was found at fault");
  return row("registers, linearizable", operations, 0, 0, checked - start, process.cpuUsage(before));
}

function row(
  history: string,
  count: number,
  bytes: number,
  readMs: number,
  checkMs: number,
  cpu: NodeJS.CpuUsage,
): Detail {
  return {
    history,
    operations: count,
    "file MB": Math.round(bytes / 1e6),
    "read s": Number((readMs / 1000).toFixed(2)),
    "check s": Number((checkMs / 1000).toFixed(2)),
    // Of all threads, the collector's included; on a busy machine it says more than the seconds that went by.
    "processor s": Number(((cpu.user + cpu.system) / 1e6).toFixed(2)),
    "operations/s": Math.round(count / ((readMs + checkMs) / 1000)),
    "peak memory MB": Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

/** Reads, writes and compare-and-sets of few values, ten clients to a key; one write in fifty has an unknown outcome. */
function registerHistory(operations: number, keys: number): Operation[] {
  const random = new Prng("registers");
  const free = new Float64Array(keys * 10);
  const planned = Array.from({ length: operations }, (_, number) => {
    const process = number % free.length;
    const invoke = free[process]! + random.integer(1, 3);
    const at = invoke + random.integer(0, 20);
    free[process] = at + random.integer(1, 20);
    return { process, key: process % keys, invoke, at, complete: free[process]! };
  });
  const values = new Map<number, number>();
  return planned
    .sort((a, b) => a.at - b.at)
    .map(({ process, key, invoke, complete }): Operation => {
      const held = values.get(key) ?? null;
      const value = random.integer(0, 4);
      const draw = random.fraction();
      if (draw < 0.5) return { process, invoke, complete, outcome: "ok", ops: [["r", key, held]] };
      if (draw < 0.51) return { process, invoke, complete, outcome: "unknown", ops: [["w", key, value]] };
      if (draw < 0.75) {
        const expected = random.integer(0, 4);
        const isApplied = expected === held;
        if (isApplied) values.set(key, value);
        return { process, invoke, complete, outcome: "ok", ops: [["cas", key, expected, value, isApplied]] };
      }
      values.set(key, value);
      return { process, invoke, complete, outcome: "ok", ops: [["w", key, value]] };
    });
}
