/**
 * A plain store: balances of accounts in a map. It knows nothing of other stores. To take part in transactions it certifies a
 * request, holds its accounts while it is prepared, and installs or frees them when the outcome is known.
 */
import type { Change, ParticipantStore, Vote } from "@khonsu/2pc";

/** What one store is asked to do in a transaction: add to some of its balances. */
export interface Booking {
  readonly deltas: Readonly<Record<string, number>>;
}

export type No = "busy" | "too little money";

export interface SavedAccounts {
  readonly balances: Readonly<Record<string, number>>;
  readonly held: readonly string[];
}

export class AccountStore implements ParticipantStore<Booking, number, No, SavedAccounts> {
  readonly #balances = new Map<string, number>();
  readonly #held = new Set<string>();

  balance(account: string): number {
    return this.#balances.get(account) ?? 0;
  }

  total(): number {
    return [...this.#balances.values()].reduce((sum, balance) => sum + balance, 0);
  }

  /** Accounts that wait for the outcome of a transaction. */
  get held(): readonly string[] {
    return [...this.#held];
  }

  certify({ deltas }: Booking): Vote<number, No> {
    const entries = Object.entries(deltas);
    if (entries.some(([account]) => this.#held.has(account))) return { kind: "no", reason: "busy" };
    // Money comes from outside only into the account "bank", which may owe it.
    const short = entries.some(([account, delta]) => account !== "bank" && this.balance(account) + delta < 0);
    if (short) return { kind: "no", reason: "too little money" };
    return { kind: "yes", value: 0 };
  }

  change(change: Change<Booking, number>): void {
    if (change.kind === "none") return;
    for (const [account, delta] of Object.entries(change.request.deltas)) {
      if (change.kind === "hold") this.#held.add(account);
      else this.#held.delete(account);
      if (change.kind === "install") this.#balances.set(account, this.balance(account) + delta);
    }
  }

  save(): SavedAccounts {
    return { balances: Object.fromEntries(this.#balances), held: this.held };
  }

  restore({ balances, held }: SavedAccounts): void {
    for (const [account, balance] of Object.entries(balances)) this.#balances.set(account, balance);
    for (const account of held) this.#held.add(account);
  }
}
