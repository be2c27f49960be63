/**
 * A view that is kept up to date: the stock of each product, summed over its rows. It starts from a snapshot and goes on with
 * the commits after it, so that none is missed and none counted twice.
 */
import type { Change, CommitTimestamp, Khonsu } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";

export const STOCK_PREFIX = "stock/";

export class LiveView {
  readonly #db: Khonsu;
  readonly #totals = new Map<string, number>();
  #timestamp: CommitTimestamp;

  private constructor(db: Khonsu, timestamp: CommitTimestamp) {
    this.#db = db;
    this.#timestamp = timestamp;
  }

  static async open(db: Khonsu): Promise<LiveView> {
    using tx = db.begin({ readOnly: true });
    const stock = [...tx.scan({ prefix: STOCK_PREFIX })];
    // The commit timestamp of a transaction that only reads is that of its snapshot.
    const view = new LiveView(db, await tx.commit());
    for (const [key, batch] of stock) view.#set(key, batch);
    return view;
  }

  /** Up to and including this commit everything is in the view. */
  get timestamp(): CommitTimestamp {
    return this.#timestamp;
  }

  get totals(): ReadonlyMap<string, number> {
    return this.#totals;
  }

  /** Follows the commits after the snapshot until `isDone`, or until the signal. */
  async follow(isDone: (view: LiveView) => boolean, signal?: AbortSignal): Promise<void> {
    if (isDone(this)) return;
    const events = this.#db.watch({ prefix: STOCK_PREFIX, fromTimestamp: this.#timestamp, signal });
    for await (const { timestamp, changes } of events) {
      for (const change of changes) this.#apply(change);
      this.#timestamp = timestamp;
      if (isDone(this)) return;
    }
  }

  #apply({ key, batch }: Change): void {
    if (batch === undefined) this.#totals.delete(key);
    else this.#set(key, batch);
  }

  #set(key: string, batch: RecordBatch): void {
    const pieces: Int32Array = batch.getChild("pieces")?.toArray();
    this.#totals.set(
      key,
      pieces.reduce((sum, count) => sum + count, 0),
    );
  }
}
