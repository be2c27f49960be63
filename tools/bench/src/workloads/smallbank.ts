/**
 * SmallBank (Alomar, Cahill, Fekete & Röhm, ICDE 2008): each customer has a checking and a savings account; six short transactions,
 * of which some pairs are at risk of write skew under snapshot isolation. Weights as in H-Store; a quarter of the customers that
 * are drawn come from a hot spot.
 */
import type { Prng } from "@khonsu/testkit/simulator";
import { RecordType } from "./record-type.ts";
import type { RecordStore, Records, RecordUnit, RecordWorkload } from "./records.ts";
import { assertEqual, inTransactions, type Outcome, upTo } from "./workload.ts";

export interface SmallBankOptions {
  /** Default 10,000. */
  readonly customers?: number;
  /** How many of them are hot. Default 100. */
  readonly hot?: number;
  /** How likely a draw is from the hot ones. Default 0.25. */
  readonly hotShare?: number;
}

export type SmallBankKind =
  | "amalgamate"
  | "balance"
  | "deposit checking"
  | "send payment"
  | "transact savings"
  | "write check";

/** A transaction with its parameters; those that it has no use for are drawn all the same. */
export interface SmallBankCall {
  readonly kind: SmallBankKind;
  readonly a: number;
  readonly b: number;
  readonly cents: number;
}

const WEIGHTS: readonly (readonly [number, SmallBankKind])[] = [
  [15, "amalgamate"],
  [15, "balance"],
  [15, "deposit checking"],
  [25, "send payment"],
  [15, "transact savings"],
  [15, "write check"],
];

const ACCOUNT = { customer: "int32", cents: "float64" } as const;
type Account = typeof ACCOUNT;
type Accounts = Records<Account>;

const INITIAL_CENTS = 100_000;
const PENALTY_CENTS = 100;

const savings = (customer: number) => `customer ${customer}/savings`;
const checking = (customer: number) => `customer ${customer}/checking`;

/** Which transactions are run on which customers, whatever the store. */
export class SmallBankCalls {
  readonly customers: number;
  readonly #hot: number;
  readonly #hotShare: number;

  constructor({ customers = 10_000, hot = 100, hotShare = 0.25 }: SmallBankOptions = {}) {
    this.customers = customers;
    this.#hot = Math.min(hot, customers - 1);
    this.#hotShare = hotShare;
  }

  draw(random: Prng): SmallBankCall {
    const a = this.#customer(random);
    const b = this.#customer(random);
    const cents = random.integer(1, 5000);
    return { kind: random.weighted(WEIGHTS), a, b: a === b ? (b + 1) % this.customers : b, cents };
  }

  #customer(random: Prng): number {
    if (random.chance(this.#hotShare)) return random.integer(0, this.#hot - 1);
    return random.integer(this.#hot, this.customers - 1);
  }
}

export class SmallBank implements RecordWorkload<Account> {
  readonly name = "SmallBank";
  readonly type = new RecordType(ACCOUNT);
  readonly #calls: SmallBankCalls;
  /** What all accounts together must hold, of all that was acknowledged. */
  #cents: number;

  constructor(options: SmallBankOptions = {}) {
    this.#calls = new SmallBankCalls(options);
    this.#cents = this.#calls.customers * 2 * INITIAL_CENTS;
  }

  async load(store: RecordStore<Account>): Promise<void> {
    await inTransactions(store, upTo(this.#calls.customers), (accounts: Accounts, number) => {
      const account = { customer: number - 1, cents: INITIAL_CENTS };
      for (const key of [savings(number - 1), checking(number - 1)]) accounts.add(key, account);
    });
  }

  next(random: Prng): RecordUnit<Account> {
    const call = this.#calls.draw(random);
    const options = call.kind === "balance" ? { readOnly: true } : {};
    const run = async (store: RecordStore<Account>): Promise<Outcome> => {
      const change = await store.transact((accounts) => BODIES[call.kind](accounts, call), options);
      this.#cents += change;
      return "committed";
    };
    return { kind: call.kind, run };
  }

  async check(store: RecordStore<Account>): Promise<void> {
    const sum = await store.transact(
      async (accounts) => {
        let total = 0;
        for await (const { cents } of accounts.scan("customer ", 2 * this.#calls.customers)) total += cents;
        return total;
      },
      { readOnly: true },
    );
    assertEqual("the sum of all accounts in cents", sum, this.#cents);
  }
}

/** A transaction; its result is its effect on the sum of all accounts. */
type Body = (tx: Accounts, call: SmallBankCall) => Promise<number>;

const BODIES: Readonly<Record<SmallBankKind, Body>> = {
  balance: async (tx, { a }) => {
    await both(tx, savings(a), checking(a));
    return 0;
  },
  "deposit checking": async (tx, { a, cents: amount }) => {
    put(tx, checking(a), a, (await cents(tx, checking(a))) + amount);
    return amount;
  },
  "transact savings": async (tx, { a, cents: amount }) => {
    const held = await cents(tx, savings(a));
    if (held < amount) return 0;
    put(tx, savings(a), a, held - amount);
    return -amount;
  },
  amalgamate: async (tx, { a, b }) => {
    const [[saved, checked], others] = await Promise.all([
      both(tx, savings(a), checking(a)),
      cents(tx, checking(b)),
    ]);
    put(tx, savings(a), a, 0);
    put(tx, checking(a), a, 0);
    put(tx, checking(b), b, others + saved + checked);
    return 0;
  },
  "send payment": async (tx, { a, b, cents: amount }) => {
    const [held, others] = await both(tx, checking(a), checking(b));
    if (held < amount) return 0;
    put(tx, checking(a), a, held - amount);
    put(tx, checking(b), b, others + amount);
    return 0;
  },
  /** An overdraft costs a penalty: reading both accounts and writing one is what makes write skew possible. */
  "write check": async (tx, { a, cents: amount }) => {
    const [saved, checked] = await both(tx, savings(a), checking(a));
    const drawn = saved + checked < amount ? amount + PENALTY_CENTS : amount;
    put(tx, checking(a), a, checked - drawn);
    return -drawn;
  },
};

async function cents(accounts: Accounts, key: string): Promise<number> {
  const account = await accounts.get(key);
  if (account === undefined) throw new Error(`Invariant: ${key} was loaded`);
  return account.cents;
}

function both(accounts: Accounts, one: string, other: string): Promise<[number, number]> {
  return Promise.all([cents(accounts, one), cents(accounts, other)]);
}

function put(accounts: Accounts, key: string, customer: number, value: number): void {
  accounts.put(key, { customer, cents: value });
}
