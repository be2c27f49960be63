/** Rounds of concurrent SmallBank transactions, interleaved by a seed, and whether each round is explained by a serial order. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { type IsolationLevel, Khonsu, type Transaction } from "../../src/index.ts";
import {
  type Accounts,
  amalgamate,
  balance,
  checking,
  depositChecking,
  type Operation,
  savings,
  transactSavings,
  writeCheck,
} from "./operations.ts";

export interface WorkloadOptions {
  readonly isolation: IsolationLevel;
  readonly seed: number;
  readonly rounds: number;
  /** How many transactions run at once. Up to 5: all their orders are tried. */
  readonly concurrency: number;
  readonly customers: number;
}

export interface WorkloadResult {
  readonly committed: number;
  readonly refused: number;
  /** The rounds that no serial order explains, as the transactions that committed and what they returned. */
  readonly violations: readonly string[];
}

type Balances = ReadonlyMap<string, number>;

interface Running {
  readonly operation: Operation;
  /** Begun when its first step is taken. */
  tx: Transaction | undefined;
  steps: Generator<void, number> | undefined;
  result: number | undefined;
  isCommitted: boolean;
}

export async function runSmallBank(options: WorkloadOptions): Promise<WorkloadResult> {
  const { isolation, rounds, concurrency, customers } = options;
  const random = mulberry32(options.seed);
  await using db = await Khonsu.open({ isolation });
  const violations: string[] = [];
  let committed = 0;
  for (let round = 0; round < rounds; round++) {
    await openAccounts(db, customers);
    const before = await balances(db);
    const all = await runRound(
      db,
      Array.from({ length: concurrency }, () => choose(random, customers)),
      random,
    );
    const done = all.filter((each) => each.isCommitted);
    committed += done.length;
    if (!isExplained(done, before, await balances(db))) {
      violations.push(done.map(({ operation, result }) => `${operation.name} = ${result}`).join("; "));
    }
  }
  return { committed, refused: rounds * concurrency - committed, violations };
}

/** Little money, so that what a check finds matters. */
function openAccounts(db: Khonsu, customers: number): Promise<void> {
  return db.transact((tx) => {
    for (let customer = 0; customer < customers; customer++) {
      for (const account of [savings(customer), checking(customer)]) tx.write(account, amountBatch(50));
    }
  });
}

async function runRound(db: Khonsu, operations: Operation[], random: () => number): Promise<Running[]> {
  const all = operations.map(
    (operation): Running => ({
      operation,
      tx: undefined,
      steps: undefined,
      result: undefined,
      isCommitted: false,
    }),
  );
  const left = [...all];
  while (left.length > 0) {
    const index = Math.floor(random() * left.length);
    const running = left[index]!;
    running.tx ??= db.begin();
    running.steps ??= running.operation.run(accountsOf(running.tx));
    const step = running.steps.next();
    if (step.done !== true) continue;
    running.result = step.value;
    left.splice(index, 1);
    running.isCommitted = await running.tx.commit().then(
      () => true,
      () => false,
    );
  }
  return all;
}

/** Whether some serial order gives every transaction its result, and leaves what remained. */
function isExplained(left: readonly Running[], before: Balances, after: Balances): boolean {
  if (left.length === 0) return [...after].every(([account, amount]) => before.get(account) === amount);
  return left.some((next) => {
    const contents = new Map(before);
    const accounts: Accounts = {
      read: (account) => contents.get(account)!,
      write: (account, amount) => contents.set(account, amount),
    };
    const steps = next.operation.run(accounts);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    const others = left.filter((other) => other !== next);
    return step.value === next.result && isExplained(others, contents, after);
  });
}

function accountsOf(tx: Transaction): Accounts {
  return {
    read: (account) => amountIn(tx.read(account)!),
    write: (account, amount) => tx.write(account, amountBatch(amount)),
  };
}

function balances(db: Khonsu): Promise<Balances> {
  return db.transact((tx) => new Map([...tx.scan()].map(([account, batch]) => [account, amountIn(batch)])));
}

function choose(random: () => number, customers: number): Operation {
  // Most of it on one customer, so that transactions meet.
  const customer = random() < 0.8 ? 0 : Math.floor(random() * customers);
  const amount = 20 + Math.floor(random() * 30);
  switch (Math.floor(random() * 5)) {
    case 0:
      return balance(customer);
    case 1:
      return depositChecking(customer, amount);
    case 2:
      return transactSavings(customer, random() < 0.8 ? -amount : amount);
    case 3:
      return amalgamate(customer, (customer + 1) % customers);
    default:
      return writeCheck(customer, amount + 50);
  }
}

function amountBatch(amount: number): RecordBatch {
  return tableFromArrays({ amount: Int32Array.of(amount) }).batches[0]!;
}

function amountIn(batch: RecordBatch): number {
  return batch.getChild("amount")!.get(0) as number;
}

/** A small generator of pseudo-random numbers from 0 to 1: what it gives depends on the seed alone. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
