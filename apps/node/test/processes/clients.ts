/** What clients do while nodes are killed, and what they saw: appends to lists, and a bank. Each client fails over by itself. */
import type { ClusterSession, ClusterTransaction } from "@khonsu/cluster";
import type { MicroOp, Operation, Outcome } from "@khonsu/testkit/history";
import { executeStep, type Prng } from "@khonsu/testkit/simulator";
import type { AbstractTransaction, TransactionReport } from "@khonsu/testkit/workloads";
import { type RecordBatch, tableFromArrays } from "apache-arrow";

/** Errors that say for certain that nothing was applied. */
const NOT_APPLIED: ReadonlySet<string> = new Set([
  "KHONSU_UNAVAILABLE",
  "KHONSU_WRITE_CONFLICT",
  "KHONSU_SERIALIZATION_FAILURE",
  "KHONSU_RETRIES_EXHAUSTED",
  "KHONSU_SNAPSHOT_TOO_OLD",
  "KHONSU_CLOCK_SKEW",
]);

export function outcomeOf(error: unknown): Outcome {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return NOT_APPLIED.has(code) ? "fail" : "unknown";
}

/** Executes a transaction of a workload of lists, with at most one retry. */
export async function executeList(
  session: ClusterSession,
  { ops }: AbstractTransaction,
): Promise<TransactionReport> {
  const readOnly = ops.every(([kind]) => kind === "r" || kind === "scan");
  let seen: MicroOp[] = [];
  const body = async (tx: ClusterTransaction): Promise<void> => {
    seen = [];
    for (const op of ops) seen.push(await executeStep(tx, op, true));
  };
  try {
    await session.transact(body, { readOnly, maxRetries: 1 });
    return { outcome: "ok", ops: seen };
  } catch (error) {
    return { outcome: outcomeOf(error), ops };
  }
}

export const ACCOUNTS = Array.from({ length: 8 }, (_, index) => `bank/${index}`);
const OPENING_BALANCE = 100;
export const TOTAL = ACCOUNTS.length * OPENING_BALANCE;

const money = (balance: number): RecordBatch =>
  tableFromArrays({ balance: Int32Array.of(balance) }).batches[0]!;
const balanceIn = (batch: RecordBatch | undefined): number => Number(batch?.getChild("balance")?.get(0) ?? 0);

export function openAccounts(session: ClusterSession): Promise<void> {
  return session.transact((tx) => {
    for (const account of ACCOUNTS) tx.write(account, money(OPENING_BALANCE));
  });
}

/** Moves money between two accounts, or looks at all of them; what it saw, as an operation of a history. */
export async function executeBank(
  session: ClusterSession,
  random: Prng,
  isAudit = random.chance(0.3),
): Promise<Pick<Operation, "outcome" | "ops">> {
  const [from, to] = random.shuffled(ACCOUNTS) as [string, string];
  const amount = random.integer(1, 20);
  let ops: MicroOp[] = [];
  const body = async (tx: ClusterTransaction): Promise<void> => {
    ops = [];
    if (isAudit) await audit(tx, ops);
    else await transfer(tx, from, to, amount, ops);
  };
  try {
    await session.transact(body, { readOnly: isAudit, maxRetries: 3 });
    return { outcome: "ok", ops };
  } catch (error) {
    return { outcome: outcomeOf(error), ops };
  }
}

async function audit(tx: ClusterTransaction, ops: MicroOp[]): Promise<void> {
  const found: [string, number][] = [];
  for await (const [key, batch] of tx.scan({ prefix: "bank/" })) found.push([key, balanceIn(batch)]);
  ops.push(["scan", { prefix: "bank/" }, found]);
}

async function transfer(
  tx: ClusterTransaction,
  from: string,
  to: string,
  amount: number,
  ops: MicroOp[],
): Promise<void> {
  const before = { from: balanceIn(await tx.read(from)), to: balanceIn(await tx.read(to)) };
  ops.push(["r", from, before.from], ["r", to, before.to]);
  const moved = Math.min(amount, before.from);
  tx.write(from, money(before.from - moved));
  tx.write(to, money(before.to + moved));
  ops.push(["w", from, before.from - moved], ["w", to, before.to + moved]);
}

/** Commits to one key, alone. */
export async function probe(session: ClusterSession, key: string): Promise<void> {
  await session.transact((tx) => tx.write(key, money(1)), { maxRetries: 0 });
}
