/**
 * TPC-C (revision 5.11) over Arrow batches: the mix of five transactions by terminals that each belong to a warehouse, without
 * keying and thinking times, which the standard asks for, and unaudited. So its figures are no tpmC.
 */
import type { Prng } from "@khonsu/testkit/simulator";
import type { Outcome, TransactionStore, Unit, Workload } from "../workload.ts";
import { checkConsistency } from "./consistency.ts";
import { delivery } from "./delivery.ts";
import { load } from "./load.ts";
import { drawNewOrder, newOrder, UnusedItem } from "./new-order.ts";
import { drawPayment, drawWho, payment } from "./payment.ts";
import { orderStatus, stockLevel } from "./queries.ts";
import { type Scale, STANDARD } from "./scale.ts";

const READ_ONLY = { readOnly: true } as const;

export class Tpcc implements Workload {
  readonly name = "TPC-C";
  readonly scale: Scale;
  /** What callers were told. */
  #delivered = 0;
  #date = 1;

  /** @param scale what is left out is as the standard says, with two warehouses. */
  constructor(scale: Partial<Scale> = {}) {
    this.scale = { warehouses: 2, ...STANDARD, ...scale };
  }

  load(store: TransactionStore): Promise<void> {
    return load(store, this.scale);
  }

  next(random: Prng, caller: number): Unit {
    const warehouse = (caller % this.scale.warehouses) + 1;
    const date = ++this.#date;
    return random.weighted<() => Unit>([
      [45, () => this.#newOrder(random, warehouse, date)],
      [43, () => this.#payment(random, warehouse, date)],
      [4, () => this.#orderStatus(random, warehouse)],
      [4, () => this.#delivery(random, warehouse, date)],
      [4, () => this.#stockLevel(random, warehouse)],
    ])();
  }

  check(store: TransactionStore): Promise<void> {
    return checkConsistency(store, this.scale, this.#delivered);
  }

  #newOrder(random: Prng, warehouse: number, date: number): Unit {
    const order = drawNewOrder(random, warehouse, date, this.scale);
    const run = async (store: TransactionStore): Promise<Outcome> => {
      try {
        await store.transact((tx) => newOrder(tx, order));
        return "committed";
      } catch (error) {
        if (!(error instanceof UnusedItem)) throw error;
        return "rolled back by its user";
      }
    };
    return { kind: "new-order", run };
  }

  #payment(random: Prng, warehouse: number, date: number): Unit {
    const paid = drawPayment(random, warehouse, date, this.scale);
    const run = async (store: TransactionStore): Promise<Outcome> => {
      await store.transact((tx) => payment(tx, paid));
      return "committed";
    };
    return { kind: "payment", run };
  }

  #delivery(random: Prng, warehouse: number, date: number): Unit {
    const order = { warehouse, carrier: random.integer(1, 10), date };
    const run = async (store: TransactionStore): Promise<Outcome> => {
      const delivered = await store.transact((tx) => delivery(tx, order, this.scale.districts));
      this.#delivered += delivered;
      return "committed";
    };
    return { kind: "delivery", run };
  }

  #orderStatus(random: Prng, warehouse: number): Unit {
    const district = random.integer(1, this.scale.districts);
    const who = drawWho(random, this.scale);
    const run = async (store: TransactionStore): Promise<Outcome> => {
      await store.transact((tx) => orderStatus(tx, warehouse, district, who), READ_ONLY);
      return "committed";
    };
    return { kind: "order-status", run };
  }

  #stockLevel(random: Prng, warehouse: number): Unit {
    const district = random.integer(1, this.scale.districts);
    const threshold = random.integer(10, 20);
    const run = async (store: TransactionStore): Promise<Outcome> => {
      await store.transact((tx) => stockLevel(tx, warehouse, district, threshold), READ_ONLY);
      return "committed";
    };
    return { kind: "stock-level", run };
  }
}
