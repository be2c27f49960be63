/** A script as one transaction, and what it read as text. */
import type { CommitTimestamp, IsolationLevel, TransactionContext } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import colors from "picocolors";
import { CommandError } from "../../failure.ts";
import { type Plain, toJson } from "../../files/plain.ts";
import { rowsOf } from "../../files/rows.ts";
import { printable, tableText } from "../../files/table-text.ts";
import type { StoreClient } from "../store-client.ts";
import type { Expectation, Operation, Script } from "./operation.ts";

export interface RunOptions {
  readonly isolation: IsolationLevel;
  readonly onConflict: "fail" | "ignore" | "replace" | "append";
  readonly format: "json" | "table";
}

export interface ScriptResult {
  readonly output: readonly string[];
  /** Undefined where nothing was written. */
  readonly committed: CommitTimestamp | undefined;
}

/** @throws CommandError `KHONSU_EXPECTATION_FAILED`, with nothing changed; what a transaction throws. */
export async function runScript(
  store: StoreClient,
  script: Script,
  options: RunOptions,
): Promise<ScriptResult> {
  const writes = script.some(({ verb }) => ["put", "append", "upsert", "delete"].includes(verb));
  const { isolation, onConflict, format } = options;
  let committed: CommitTimestamp | undefined;
  const output = await store.transact(
    async (tx) => {
      tx.onCommit((timestamp) => {
        committed = timestamp;
      });
      const lines: string[] = [];
      for (const operation of script) {
        for (const found of await carryOut(tx, operation)) lines.push(show(operation, found, format));
      }
      return lines;
    },
    { isolation, onConflict, readOnly: !writes },
  );
  return { output, committed: writes ? committed : undefined };
}

interface Found {
  readonly key: string;
  readonly rows: RecordBatch | undefined;
}

/** @returns what was read */
async function carryOut(tx: TransactionContext, operation: Operation): Promise<readonly Found[]> {
  const { key } = operation;
  switch (operation.verb) {
    case "get":
      return [{ key, rows: await tx.read(key) }];
    case "scan":
      return scan(tx, key);
    case "put":
      tx.write(key, operation.rows);
      return [];
    case "append":
      tx.append(key, operation.rows);
      return [];
    case "upsert":
      tx.upsert(key, operation.rows);
      return [];
    case "delete":
      tx.delete(key);
      return [];
    case "expect":
      await expectThat(tx, operation.line, key, operation.expectation);
      return [];
  }
}

async function scan(tx: TransactionContext, prefix: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  for await (const [key, rows] of tx.scan({ prefix })) found.push({ key, rows });
  return found;
}

async function expectThat(
  tx: TransactionContext,
  line: number,
  key: string,
  expectation: Expectation,
): Promise<void> {
  const fail = (found: string) => {
    const message = `Line ${line} expected ${JSON.stringify(key)} ${wording(expectation)}: ${found}. Nothing was changed`;
    throw new CommandError(message, { code: "KHONSU_EXPECTATION_FAILED" });
  };
  if (expectation.kind === "version") {
    const version = await tx.version(key);
    if (version !== expectation.version) fail(version === undefined ? "it is absent" : `it is ${version}`);
    return;
  }
  const rows = await tx.read(key);
  if (expectation.kind === "absent" && rows !== undefined) fail("it is there");
  if (expectation.kind === "exists" && rows === undefined) fail("it is absent");
  if (expectation.kind !== "rows") return;
  if (rows === undefined) fail("it is absent");
  else if (rowsJson(rows) !== rowsJson(expectation.rows)) fail(`they are ${shorten(rowsJson(rows))}`);
}

function wording(expectation: Expectation): string {
  switch (expectation.kind) {
    case "absent":
      return "to be absent";
    case "exists":
      return "to exist";
    case "version":
      return `to have version ${expectation.version}`;
    case "rows":
      return `to have the rows ${shorten(rowsJson(expectation.rows))}`;
  }
}

/** Rows are the same if they print the same: 1 as int32 is what was expected where the script says 1. */
function rowsJson(batch: RecordBatch): string {
  return toJson([...rowsOf(batch)]);
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

function show({ line, verb }: Operation, { key, rows }: Found, format: "json" | "table"): string {
  if (format === "json") {
    const plain: Plain = rows === undefined ? null : [...rowsOf(rows)];
    return `${toJson({ line, operation: verb, key, rows: plain })}\n`;
  }
  const title = colors.bold(printable(key));
  if (rows === undefined) return `${title}: ${colors.dim("absent")}\n`;
  return `${title}\n${tableText(rows, process.stdout.isTTY ? { width: process.stdout.columns, rowsMax: 40 } : {})}`;
}
