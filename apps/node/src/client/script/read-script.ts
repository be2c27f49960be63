/**
 * A script as operations. All of it is read, files included, before anything is done, so a mistake in its last line changes
 * nothing.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { checkKey, isKhonsuError } from "@khonsu/core";
import type { RecordBatch, Schema } from "apache-arrow";
import { codeOf } from "../../failure.ts";
import { batchOfRows, type PlainRow } from "../../files/build-batch.ts";
import { RowError } from "../../files/build-column.ts";
import { FileError, reasonOf } from "../../files/file-error.ts";
import { fromJson, type Plain } from "../../files/plain.ts";
import { STANDARD, STDIN_NAME } from "../../files/read-input.ts";
import { readWhole } from "../../files/read-whole.ts";
import { parseSchema, schemaText } from "../../files/type-text.ts";
import type { Expectation, Operation, Script } from "./operation.ts";

/** A word, or one in quotation marks as in JSON; then the rest. */
const WORD = /^\s*(?:("(?:[^"\\]|\\.)*")|(\S+))\s*(.*)$/s;

/** @throws FileError `KHONSU_SCRIPT_INVALID` with the line, `KHONSU_FILE_FAILED` */
export async function readScript(
  path: string,
  stdin: NodeJS.ReadableStream = process.stdin,
): Promise<Script> {
  if (path === STANDARD) return parseScript(await textOf(stdin), STDIN_NAME, process.cwd());
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new FileError("KHONSU_FILE_FAILED", `Cannot read ${path}: ${reasonOf(error)}`, error);
  }
  return parseScript(text, path, dirname(resolve(path)));
}

/** @param directory where the files that the script names are looked for */
export async function parseScript(text: string, name: string, directory: string): Promise<Script> {
  const operations: Operation[] = [];
  let schema: Schema | undefined;
  for (const [i, content] of text.split(/\r?\n/).entries()) {
    const line = i + 1;
    if (/^\s*(#|$)/.test(content)) continue;
    try {
      const [verb, rest] = word(content);
      if (verb === "schema") schema = rest.trim() === "" ? undefined : parseSchema(rest);
      else operations.push(await operation(line, verb, rest, { schema, directory }));
    } catch (error) {
      if (!isMistake(error)) throw error;
      throw new FileError(
        "KHONSU_SCRIPT_INVALID",
        `Cannot run ${name}, line ${line}: ${error.message}`,
        error.cause,
      );
    }
  }
  return operations;
}

interface Surroundings {
  readonly schema: Schema | undefined;
  readonly directory: string;
}

class Mistake extends Error {}

function isMistake(error: unknown): error is Error {
  return (
    error instanceof Mistake ||
    error instanceof RowError ||
    codeOf(error) !== undefined ||
    isKhonsuError(error)
  );
}

async function operation(line: number, verb: string, text: string, around: Surroundings): Promise<Operation> {
  const [key, rest] = word(text, "a key");
  checkKey(key);
  switch (verb) {
    case "get":
    case "delete":
    case "scan":
      if (rest !== "") throw new Mistake(`${JSON.stringify(rest)} is too much behind the key`);
      return { line, verb, key };
    case "put":
    case "append":
    case "upsert":
      return { line, verb, key, rows: await rowsOfText(rest, around) };
    case "expect":
      return { line, verb, key, expectation: await expectation(rest, around) };
    default:
      throw new Mistake(`${JSON.stringify(verb)} is no operation`);
  }
}

async function expectation(text: string, around: Surroundings): Promise<Expectation> {
  const [kind, rest] = word(text, "absent, exists, version or rows");
  if (kind === "rows") return { kind, rows: await rowsOfText(rest, around) };
  if (kind === "version" && /^[1-9]\d*$/.test(rest)) return { kind, version: Number(rest) };
  if ((kind === "absent" || kind === "exists") && rest === "") return { kind };
  throw new Mistake(`${JSON.stringify(text)} is none of absent, exists, version VERSION, rows ROWS`);
}

async function rowsOfText(text: string, { schema, directory }: Surroundings): Promise<RecordBatch> {
  if (text.startsWith("@")) {
    const given = schema === undefined ? {} : { schema: schemaText(schema) };
    return readWhole(resolve(directory, text.slice(1)), given);
  }
  const rows = parseRows(text);
  const known = schema?.fields.map(({ name }) => name);
  const unknown = known && rows.flatMap((row) => Object.keys(row)).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Mistake(`there is a column ${JSON.stringify(unknown)} that the schema does not have`);
  if (schema === undefined && rows.every((row) => Object.keys(row).length === 0))
    throw new Mistake("rows without columns need a schema");
  return schema === undefined ? batchOfRows(rows) : batchOfRows(rows, schema);
}

function parseRows(text: string): readonly PlainRow[] {
  let value: Plain;
  try {
    value = fromJson(text);
  } catch (error) {
    throw new Mistake(`expected rows as JSON, or @FILE: ${reasonOf(error)}`);
  }
  const rows = Array.isArray(value) ? (value as readonly Plain[]) : [value];
  const isRow = (row: Plain) => row !== null && typeof row === "object" && !Array.isArray(row);
  if (!rows.every(isRow)) throw new Mistake("rows are JSON objects");
  return rows as readonly PlainRow[];
}

function word(text: string, wanted = "an operation"): readonly [string, string] {
  const [, quoted, bare, rest = ""] = text.match(WORD) ?? [];
  if (quoted === undefined && bare === undefined) throw new Mistake(`expected ${wanted}`);
  if (quoted === undefined) return [bare!, rest.trimEnd()];
  try {
    return [String(JSON.parse(quoted)), rest.trimEnd()];
  } catch (error) {
    throw new Mistake(`${quoted} is not understood: ${reasonOf(error)}`);
  }
}
