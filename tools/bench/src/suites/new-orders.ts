/** How many new orders of TPC-C a minute are committed: their share of what ran, at the rate of the rows. It is no tpmC. */
import type { Ran } from "../driven/messages.ts";
import type { Detail, MeasuredRow } from "../report/row.ts";

interface Tally {
  transactions: number;
  newOrders: number;
}

export class NewOrders {
  readonly #tallies = new Map<string, Tally>();

  add(on: string, subject: string, { latencies, committed }: Ran): void {
    const tally = this.#tallies.get(idOf(on, subject)) ?? { transactions: 0, newOrders: 0 };
    tally.transactions += latencies.length;
    tally.newOrders += committed["new-order"] ?? 0;
    this.#tallies.set(idOf(on, subject), tally);
  }

  /** A row for each of those where there were any. */
  details(rows: readonly MeasuredRow[]): Detail[] {
    return rows.flatMap((row) => {
      const { transactions, newOrders } = this.#tallies.get(idOf(row.case, row.subject))!;
      if (newOrders === 0) return [];
      const perMinute = (newOrders / transactions) * row.ops_per_s * 60;
      return [{ on: row.case, subject: row.subject, "new orders a minute": Math.round(perMinute) }];
    });
  }
}

function idOf(on: string, subject: string): string {
  return JSON.stringify([on, subject]);
}
