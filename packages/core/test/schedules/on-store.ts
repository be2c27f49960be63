/** Runs a schedule of small transactions on the store itself. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { Khonsu, type Transaction, type TransactionOptions } from "../../src/index.ts";
import { valuesIn } from "../batches.ts";
import {
  type Executed,
  type Execution,
  isReadOnly,
  type Observation,
  type Program,
  type Schedule,
  writtenBy,
} from "./program.ts";

export type Initial = ReadonlyMap<string, number>;

interface Running {
  readonly observed: Observation[];
  transaction: Transaction | undefined;
  begunAt: number;
  endedAt: number;
  step: number;
}

const cells = new Map<number, RecordBatch>();

/** A batch of the one number `value`, without a key column. */
export function cell(value: number): RecordBatch {
  let batch = cells.get(value);
  if (batch === undefined) {
    batch = tableFromArrays({ value: Int32Array.of(value) }).batches[0]!;
    cells.set(value, batch);
  }
  return batch;
}

/** @param declaresReadOnly whether a transaction without writes is begun as read-only. */
export async function runOnStore(
  transactions: readonly Program[],
  schedule: Schedule,
  initial: Initial,
  options: TransactionOptions,
  declaresReadOnly: boolean,
): Promise<Execution> {
  const db = await Khonsu.open({ detectLeaks: false });
  if (initial.size > 0) {
    await db.transact((tx) => {
      for (const [key, value] of initial) tx.write(key, cell(value));
    });
  }
  const running: Running[] = transactions.map(() => ({
    observed: [],
    transaction: undefined,
    begunAt: 0,
    endedAt: 0,
    step: 0,
  }));
  for (const [position, index] of schedule.entries()) {
    const each = running[index]!;
    const program = transactions[index]!;
    if (each.transaction === undefined) {
      each.begunAt = position;
      each.transaction = db.begin(
        declaresReadOnly && isReadOnly(program) ? { ...options, readOnly: true } : options,
      );
    }
    takeStep(each, each.transaction, program, index, position);
  }
  const final = await db.transact((tx) => scanned(tx));
  return { transactions: running.map((each, index) => executed(each, transactions[index]!)), final };
}

function takeStep(
  running: Running,
  tx: Transaction,
  program: Program,
  index: number,
  position: number,
): void {
  const step = running.step++;
  const op = program[step];
  if (op === undefined) {
    running.endedAt = position;
    // In memory a commit is decided at once; its error is seen in the status.
    tx.commit().catch(() => {});
  } else if (op.kind === "read") {
    const batch = tx.read(op.key);
    running.observed.push(batch === undefined ? undefined : valuesIn(batch));
  } else if (op.kind === "scan") {
    running.observed.push(scanned(tx));
  } else if (op.kind === "delete") {
    tx.delete(op.key);
  } else {
    tx[op.kind](op.key, cell(writtenBy(index, step)));
  }
}

function executed({ transaction, observed, begunAt, endedAt }: Running, program: Program): Executed {
  const isCommitted = transaction?.status === "committed";
  return { program, isCommitted, observed, ignored: transaction?.ignoredKeys ?? [], begunAt, endedAt };
}

function scanned(tx: Transaction): Map<string, readonly number[]> {
  return new Map([...tx.scan()].map(([key, batch]) => [key, valuesIn(batch)]));
}
