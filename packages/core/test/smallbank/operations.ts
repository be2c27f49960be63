/**
 * SmallBank (Alomari, Cahill, Fekete, Röhm 2008; Cahill 2008, §5.1): the five transactions of a bank in which each customer
 * has a savings and a checking account. Under snapshot isolation, a balance report completes a cycle of a withdrawal from
 * savings and a check that overdraws. Every `yield` is a moment in which others may run.
 */

/** What a transaction works on: a store, or plain numbers. */
export interface Accounts {
  read(account: string): number;
  write(account: string, balance: number): void;
}

export interface Operation {
  readonly name: string;
  /** @returns what the customer is told. */
  readonly run: (accounts: Accounts) => Generator<void, number>;
}

export const savings = (customer: number): string => `savings/${customer}`;
export const checking = (customer: number): string => `checking/${customer}`;

/** The total of both accounts; changes nothing. */
export function balance(customer: number): Operation {
  return {
    name: `balance(${customer})`,
    *run(accounts) {
      const saved = accounts.read(savings(customer));
      yield;
      return saved + accounts.read(checking(customer));
    },
  };
}

export function depositChecking(customer: number, amount: number): Operation {
  return {
    name: `depositChecking(${customer}, ${amount})`,
    *run(accounts) {
      const before = accounts.read(checking(customer));
      yield;
      accounts.write(checking(customer), before + amount);
      return before + amount;
    },
  };
}

/** Adds to, or takes from, the savings, which do not become negative: then nothing changes. */
export function transactSavings(customer: number, amount: number): Operation {
  return {
    name: `transactSavings(${customer}, ${amount})`,
    *run(accounts) {
      const after = accounts.read(savings(customer)) + amount;
      yield;
      if (after < 0) return -1;
      accounts.write(savings(customer), after);
      return after;
    },
  };
}

/** Moves all that one customer has to the checking account of another. */
export function amalgamate(from: number, to: number): Operation {
  return {
    name: `amalgamate(${from}, ${to})`,
    *run(accounts) {
      const total = accounts.read(savings(from)) + accounts.read(checking(from));
      yield;
      accounts.write(savings(from), 0);
      accounts.write(checking(from), 0);
      yield;
      accounts.write(checking(to), accounts.read(checking(to)) + total);
      return total;
    },
  };
}

/** Takes the amount from the checking account, and a penalty of 1 where the total of both does not cover it. */
export function writeCheck(customer: number, amount: number): Operation {
  return {
    name: `writeCheck(${customer}, ${amount})`,
    *run(accounts) {
      const saved = accounts.read(savings(customer));
      yield;
      const checked = accounts.read(checking(customer));
      yield;
      const after = checked - amount - (saved + checked < amount ? 1 : 0);
      accounts.write(checking(customer), after);
      return after;
    },
  };
}
