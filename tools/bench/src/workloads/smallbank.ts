/**
 * SmallBank (Alomar, Cahill, Fekete & Röhm, ICDE 2008): each customer has a checking and a savings account; six short transactions,
 * of which some pairs are at risk of write skew under snapshot isolation. Weights as in H-Store; a quarter of the customers that
 * are drawn come from a hot spot.
 */
import type { TransactionContext } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";
import { RecordType } from "./record-type.ts";
import { assertEqual, inTransactions, type TransactionStore, type Unit, type Workload } from "./workload.ts";

export interface SmallBankOptions {
  /** Default 10,000. */
  readonly customers?: number;
  /** How many of them are hot. Default 100. */
  readonly hot?: number;
  /** How likely a draw is from the hot ones. Default 0.25. */
  readonly hotShare?: number;
}

const ACCOUNT = new RecordType({ customer: "int32", cents: "float64" });
const INITIAL_CENTS = 100_000;
const PENALTY_CENTS = 100;

const savings = (customer: number) => `customer ${customer}/savings`;
const checking = (customer: number) => `customer ${customer}/checking`;

/** A transaction's effect on the sum of all accounts. */
type Body = (tx: TransactionContext) => Promise<number>;

export class SmallBank implements Workload {
  readonly name = "SmallBank";
  readonly #customers: number;
  readonly #hot: number;
  readonly #hotShare: number;
  /** What all accounts together must hold, of all that was acknowledged. */
  #cents: number;

  constructor({ customers = 10_000, hot = 100, hotShare = 0.25 }: SmallBankOptions = {}) {
    this.#customers = customers;
    this.#hot = Math.min(hot, customers - 1);
    this.#hotShare = hotShare;
    this.#cents = customers * 2 * INITIAL_CENTS;
  }

  async load(store: TransactionStore): Promise<void> {
    const customers = Array.from({ length: this.#customers }, (_, index) => index);
    await inTransactions(store, customers, (tx, customer) => {
      put(tx, savings(customer), customer, INITIAL_CENTS);
      put(tx, checking(customer), customer, INITIAL_CENTS);
    });
  }

  next(random: Prng): Unit {
    const [a, b] = this.#pair(random);
    const cents = random.integer(1, 5000);
    const [kind, body] = random.weighted<readonly [string, Body]>([
      [15, ["amalgamate", (tx) => amalgamate(tx, a, b)]],
      [15, ["balance", (tx) => balance(tx, a)]],
      [15, ["deposit checking", (tx) => depositChecking(tx, a, cents)]],
      [25, ["send payment", (tx) => sendPayment(tx, a, b, cents)]],
      [15, ["transact savings", (tx) => transactSavings(tx, a, cents)]],
      [15, ["write check", (tx) => writeCheck(tx, a, cents)]],
    ]);
    const options = kind === "balance" ? { readOnly: true } : {};
    const run = async (store: TransactionStore) => {
      const change = await store.transact(body, options);
      this.#cents += change;
    };
    return { kind, run };
  }

  async check(store: TransactionStore): Promise<void> {
    let sum = 0;
    await store.transact(
      async (tx) => {
        sum = 0;
        for (let customer = 0; customer < this.#customers; customer++)
          sum += (await cents(tx, savings(customer))) + (await cents(tx, checking(customer)));
      },
      { readOnly: true },
    );
    assertEqual("the sum of all accounts in cents", sum, this.#cents);
  }

  #pair(random: Prng): [number, number] {
    const a = this.#customer(random);
    const b = this.#customer(random);
    return [a, a === b ? (b + 1) % this.#customers : b];
  }

  #customer(random: Prng): number {
    if (random.chance(this.#hotShare)) return random.integer(0, this.#hot - 1);
    return random.integer(this.#hot, this.#customers - 1);
  }
}

async function cents(tx: TransactionContext, key: string): Promise<number> {
  return ACCOUNT.row(await tx.read(key)).cents;
}

function put(tx: TransactionContext, key: string, customer: number, value: number): void {
  tx.write(key, ACCOUNT.batch({ customer, cents: value }));
}

async function balance(tx: TransactionContext, a: number): Promise<number> {
  await cents(tx, savings(a));
  await cents(tx, checking(a));
  return 0;
}

async function depositChecking(tx: TransactionContext, a: number, amount: number): Promise<number> {
  put(tx, checking(a), a, (await cents(tx, checking(a))) + amount);
  return amount;
}

async function transactSavings(tx: TransactionContext, a: number, amount: number): Promise<number> {
  const held = await cents(tx, savings(a));
  if (held < amount) return 0;
  put(tx, savings(a), a, held - amount);
  return -amount;
}

async function amalgamate(tx: TransactionContext, a: number, b: number): Promise<number> {
  const moved = (await cents(tx, savings(a))) + (await cents(tx, checking(a)));
  put(tx, savings(a), a, 0);
  put(tx, checking(a), a, 0);
  put(tx, checking(b), b, (await cents(tx, checking(b))) + moved);
  return 0;
}

async function sendPayment(tx: TransactionContext, a: number, b: number, amount: number): Promise<number> {
  const held = await cents(tx, checking(a));
  if (held < amount) return 0;
  put(tx, checking(a), a, held - amount);
  put(tx, checking(b), b, (await cents(tx, checking(b))) + amount);
  return 0;
}

/** An overdraft costs a penalty: reading both accounts and writing one is what makes write skew possible. */
async function writeCheck(tx: TransactionContext, a: number, amount: number): Promise<number> {
  const total = (await cents(tx, savings(a))) + (await cents(tx, checking(a)));
  const drawn = total < amount ? amount + PENALTY_CENTS : amount;
  put(tx, checking(a), a, (await cents(tx, checking(a))) - drawn);
  return -drawn;
}
