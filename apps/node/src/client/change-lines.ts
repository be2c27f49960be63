/** A watch as lines of text, one a change. */
import type { CommitTimestamp, KeySelection } from "@khonsu/core";
import colors from "picocolors";
import { codeOf } from "../failure.ts";
import { toJson } from "../files/plain.ts";
import { rowsOf } from "../files/rows.ts";
import { printable } from "../files/table-text.ts";
import type { StoreClient, WatchEvent } from "./store-client.ts";

export interface ChangeLineOptions {
  readonly selection: KeySelection;
  readonly fromTimestamp?: number | undefined;
  /** How many changes are shown at most. */
  readonly count?: number | undefined;
  readonly format: "json" | "text";
  /** Ends it without an error. */
  readonly signal: AbortSignal;
}

export async function* changeLines(
  store: StoreClient,
  { selection, fromTimestamp, count = Infinity, format, signal }: ChangeLineOptions,
): AsyncGenerator<string, void, undefined> {
  const since = fromTimestamp === undefined ? {} : { fromTimestamp: fromTimestamp as CommitTimestamp };
  let shown = 0;
  try {
    for await (const event of store.watch({ ...selection, ...since, signal })) {
      for (const change of event.changes) {
        yield format === "json" ? jsonLine(event, change) : textLine(event, change);
        if (++shown >= count) return;
      }
    }
  } catch (error) {
    if (!(signal.aborted && codeOf(error) === "KHONSU_ABORTED")) throw error;
  }
}

type Change = WatchEvent["changes"][number];

function jsonLine({ timestamp }: WatchEvent, { key, kind, batch }: Change): string {
  const rows = batch === undefined ? null : [...rowsOf(batch)];
  return `${toJson({ timestamp, kind, key, rows })}\n`;
}

function textLine({ timestamp }: WatchEvent, { key, kind, batch }: Change): string {
  const what = kind === "put" ? colors.green("put   ") : colors.red("delete");
  const rows =
    batch === undefined ? "" : colors.dim(`  ${batch.numRows} ${batch.numRows === 1 ? "row" : "rows"}`);
  return `${timestamp}  ${what}  ${printable(key)}${rows}\n`;
}
