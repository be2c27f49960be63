/**
 * A workload whose contents tell whether anything was lost, torn or put out of order. Each worker counts its steps. Step n of a worker is
 * one transaction that sets its counter to n, notes n at the end of the log together with how far it saw another worker to be,
 * moves money between two accounts, and has exactly one of two keys present.
 */
import assert from "node:assert/strict";
import type { Khonsu, Transaction } from "@khonsu/core";
import { type RecordBatch, tableFromArrays } from "apache-arrow";

export const WORKERS = 8;
const ACCOUNTS = 5;
const MONEY = 1000;

const numberBatch = (value: number): RecordBatch =>
  tableFromArrays({ value: Int32Array.of(value) }).batches[0]!;
const numberIn = (batch: RecordBatch | undefined): number => Number(batch?.getChild("value")?.get(0) ?? 0);

/** Puts the money there, unless it is. */
export async function openAccounts(db: Khonsu): Promise<void> {
  await db.transact((tx) => {
    if (tx.has("account/0")) return;
    for (let account = 0; account < ACCOUNTS; account++) tx.write(`account/${account}`, numberBatch(MONEY));
  });
}

/** The next step of `worker`. */
export async function takeStep(db: Khonsu, worker: number, random: () => number): Promise<number> {
  const other = Math.floor(random() * WORKERS);
  const from = Math.floor(random() * ACCOUNTS);
  const to = (from + 1 + Math.floor(random() * (ACCOUNTS - 1))) % ACCOUNTS;
  return db.transact((tx) => {
    const step = numberIn(tx.read(`counter/${worker}`)) + 1;
    const seen = numberIn(tx.read(`counter/${other}`));
    tx.write(`counter/${worker}`, numberBatch(step));
    tx.append("log", logRow(worker, step, other, seen), { onConflict: "append", keyColumn: null });
    tx.write(`account/${from}`, numberBatch(numberIn(tx.read(`account/${from}`)) - 1));
    tx.write(`account/${to}`, numberBatch(numberIn(tx.read(`account/${to}`)) + 1));
    tx.write(step % 2 === 0 ? `even/${worker}` : `odd/${worker}`, numberBatch(step));
    tx.delete(step % 2 === 0 ? `odd/${worker}` : `even/${worker}`);
    return step;
  });
}

function logRow(worker: number, step: number, other: number, seen: number): RecordBatch {
  const [workers, steps, others, seens] = [worker, step, other, seen].map((value) => Int32Array.of(value));
  return tableFromArrays({ worker: workers!, step: steps!, other: others!, seen: seens! }).batches[0]!;
}

/** Checks what is there, and gives the steps that each worker has taken. */
export async function audit(db: Khonsu): Promise<number[]> {
  return db.transact(auditWithin, { readOnly: true });
}

function auditWithin(tx: Transaction): number[] {
  const steps = stepsInLog(tx.read("log"));
  for (const [worker, step] of steps.entries()) {
    assert.equal(
      numberIn(tx.read(`counter/${worker}`)),
      step,
      `worker ${worker} has as many steps as log entries`,
    );
    assert.equal(
      numberIn(tx.read(`odd/${worker}`)),
      step % 2 === 1 ? step : 0,
      `odd/${worker} after step ${step}`,
    );
    assert.equal(
      numberIn(tx.read(`even/${worker}`)),
      step % 2 === 0 ? step : 0,
      `even/${worker} after step ${step}`,
    );
  }
  const balances = [...tx.scan({ prefix: "account/" })].map(([, batch]) => numberIn(batch));
  const sum = balances.reduce((a, b) => a + b, 0);
  assert(balances.length === 0 || sum === ACCOUNTS * MONEY, `the accounts hold ${balances.join(", ")}`);
  return steps;
}

/** The log has the steps of each worker in order, none missing, and what a step saw stands before it. */
function stepsInLog(log: RecordBatch | undefined): number[] {
  const steps = new Array<number>(WORKERS).fill(0);
  const column = (name: string, row: number) => Number(log!.getChild(name)!.get(row));
  for (let row = 0; row < (log?.numRows ?? 0); row++) {
    const worker = column("worker", row);
    const other = column("other", row);
    assert.equal(
      column("step", row),
      steps[worker]! + 1,
      `row ${row} of the log is the next step of worker ${worker}`,
    );
    assert(
      column("seen", row) <= steps[other]!,
      `row ${row} of the log saw a step of worker ${other} that comes later`,
    );
    steps[worker]!++;
  }
  return steps;
}
