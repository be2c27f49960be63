/**
 * A bounded queue in one key: its rows are the items, oldest first. Who finds it full, or empty, retries: the transaction is
 * parked until the key changes, and nobody polls. Since waiting is part of the transaction, it composes: see `take-first.ts`.
 */
import { check, type Transaction } from "@khonsu/core";
import { Table, tableFromArrays } from "apache-arrow";

export class BoundedQueue {
  readonly key: string;
  readonly capacity: number;

  constructor(name: string, capacity: number) {
    this.key = `queue/${name}`;
    this.capacity = capacity;
  }

  size(tx: Transaction): number {
    return tx.readTable(this.key)?.numRows ?? 0;
  }

  /** Adds an item; waits while the queue is full. */
  put(tx: Transaction, item: number): void {
    check(tx, this.size(tx) < this.capacity);
    tx.append(this.key, tableFromArrays({ item: Int32Array.of(item) }));
  }

  /** Removes the oldest item; waits while the queue is empty. */
  take(tx: Transaction): number {
    const items = tx.read(this.key);
    if (items === undefined || items.numRows === 0) return tx.retry();
    tx.write(this.key, new Table([items.slice(1)]));
    return items.getChild("item")?.get(0);
  }
}
