// Reads and writes histories in any of the known forms; the form of an input is told by its beginning.
import { createReadStream } from "node:fs";
import { ednForms, parseEdnEvent, writeEdnEvent } from "./edn.ts";
import { HistoryError } from "./history-error.ts";
import { type JepsenEvent, JepsenPairing } from "./jepsen-events.ts";
import { jepsenEvents } from "./jepsen-export.ts";
import { readJsonLines, writeJsonLines } from "./jsonl.ts";
import { linesOf } from "./lines.ts";
import type { History, Operation } from "./operation.ts";
import { isRecord } from "./parse-operation.ts";
import { parsePorcupine, writePorcupine } from "./porcupine.ts";

/**
 * - `jsonl`: Khonsu's own, one operation a line
 * - `edn`: Jepsen's and Elle's events in EDN
 * - `json`: the same events as JSON, one a line or in one array
 * - `porcupine`: operations of Porcupine's key-value model as JSON, one a line or in one array
 */
export const FORMATS = ["jsonl", "edn", "json", "porcupine"] as const;
export type Format = (typeof FORMATS)[number];

type Chunks = AsyncIterable<string> | Iterable<string>;

/** Reads a history from a file. @throws {HistoryError} with file and line; system errors as they are */
export async function readHistoryFile(path: string, format?: Format): Promise<Operation[]> {
  return readHistory(createReadStream(path, "utf8"), {
    source: path,
    ...(format === undefined ? {} : { format }),
  });
}

/**
 * Reads a history in any form; without `format` it is told by the first characters.
 * @param options.source what to call the input in errors
 * @throws {HistoryError} with source and line
 */
export async function readHistory(
  chunks: Chunks,
  options: { readonly format?: Format; readonly source?: string } = {},
): Promise<Operation[]> {
  const { source } = options;
  const { head, all } = await peek(chunks);
  const format = options.format ?? detectFormat(head, source);
  if (format === "jsonl") return collect(readJsonLines(all, source));
  if (format === "edn") return readEvents(ednValues(all, source));
  const values = head.trimStart().startsWith("[") ? arrayValues(all, source) : lineValues(all, source);
  if (format === "json") return readEvents(values);
  const operations: Operation[] = [];
  for await (const { value, place } of values) operations.push(atPlace(place, () => parsePorcupine(value)));
  return operations;
}

/** A history as text in one of the forms, in pieces. @throws {HistoryError} when the form cannot say it */
export function* writeHistory(history: History, format: Format): Generator<string> {
  if (format === "jsonl") yield* writeJsonLines(history);
  else if (format === "porcupine") yield* writePorcupine(history);
  else
    for (const event of jepsenEvents(history))
      yield `${format === "edn" ? writeEdnEvent(event) : JSON.stringify(event)}\n`;
}

/** The form of a text by its beginning. @throws {HistoryError} when it is none of them */
export function detectFormat(head: string, source?: string): Format {
  const start = head.trimStart();
  if (/^(;|#|[[(]?\s*\{\s*(:|\}))/.test(start) || /^[[(]\s*[#;(]/.test(start)) return "edn";
  const object = start.replace(/^\[\s*/, "");
  if (object === "") return "jsonl";
  if (/^\{\s*"/.test(object)) {
    const first = object.slice(0, object.indexOf("\n") < 0 ? undefined : object.indexOf("\n"));
    if (/"ClientId"\s*:/.test(first)) return "porcupine";
    return /"(ops|khonsuHistory)"\s*:/.test(first) ? "jsonl" : "json";
  }
  throw new HistoryError("this is no history: neither JSON nor EDN at its beginning", { source, line: 1 });
}

interface Placed {
  readonly value: unknown;
  readonly place: { readonly source?: string | undefined; readonly line?: number };
}

async function readEvents(values: AsyncIterable<Placed>): Promise<Operation[]> {
  const pairing = new JepsenPairing();
  for await (const { value, place } of values) {
    atPlace(place, () => {
      if (!isRecord(value)) throw new HistoryError("an event is an object");
      pairing.push(value as unknown as JepsenEvent);
    });
  }
  return pairing.operations();
}

async function* ednValues(chunks: Chunks, source: string | undefined): AsyncGenerator<Placed> {
  for await (const { text, line } of ednForms(chunks, source)) {
    const place = { source, line };
    yield { value: atPlace(place, () => parseEdnEvent(text)), place };
  }
}

async function* lineValues(chunks: Chunks, source: string | undefined): AsyncGenerator<Placed> {
  for await (const lines of linesOf(chunks)) {
    for (const { text, number: line } of lines) {
      if (text.trim() !== "") yield { value: parseJson(text, { source, line }), place: { source, line } };
    }
  }
}

/** A whole array has to be held in memory; its items are named by their number. */
async function* arrayValues(chunks: Chunks, source: string | undefined): AsyncGenerator<Placed> {
  const text = (await collect(chunks)).join("");
  const values = parseJson(text, { source }) as unknown[];
  for (const [item, value] of values.entries())
    yield { value, place: { source: `${source ?? "input"} item ${item}` } };
}

function parseJson(text: string, place: Placed["place"]): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HistoryError(`not JSON: ${(error as Error).message}`, place);
  }
}

/** Gives errors of one value its place in the input. */
function atPlace<T>(place: Placed["place"], parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof HistoryError && error.line === undefined)
      throw new HistoryError(error.message, place);
    throw error;
  }
}

/** The first chunks, with something else than white space in them, and all chunks again. */
async function peek(chunks: Chunks): Promise<{ head: string; all: AsyncIterable<string> }> {
  const iterator =
    Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let head = "";
  while (head.trim().length < 1000) {
    const next = await iterator.next();
    if (next.done) break;
    head += next.value;
  }
  async function* all(): AsyncGenerator<string> {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { head, all: all() };
}

async function collect<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
