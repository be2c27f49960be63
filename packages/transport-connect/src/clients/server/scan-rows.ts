/**
 * The rows of a scan as a stream, one snapshot throughout: a transaction that waits, row by row, until the reader has taken what
 * it was given. It is not run again when it fails in the middle, since what was given cannot be taken back.
 */
import type { ClusterSession } from "@khonsu/cluster";
import type { ScanOptions } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";

type Row = readonly [string, RecordBatch];

/** Ends the transaction of a reader who has gone. */
class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

export async function* scanRows(
  session: ClusterSession,
  options: ScanOptions,
): AsyncGenerator<Row, void, undefined> {
  let offer: (row: Row) => void = () => {};
  let release: (() => void) | undefined;
  let isGone = false;
  const give = (row: Row) =>
    new Promise<void>((resolve) => {
      release = resolve;
      offer(row);
    });
  const nextRow = () => new Promise<Row>((resolve) => (offer = resolve));
  let next = nextRow();
  const running = session.transact(
    async (tx) => {
      for await (const row of tx.scan(options)) {
        await give(row);
        if (isGone) throw new ReaderGone();
      }
    },
    { isolation: "repeatable-read", readOnly: true, maxRetries: 0 },
  );
  const ended = running.then(() => undefined);
  ended.catch(() => {});
  try {
    for (;;) {
      const row = await Promise.race([next, ended]);
      if (row === undefined) return;
      next = nextRow();
      yield row;
      release?.();
    }
  } finally {
    isGone = true;
    release?.();
  }
}
