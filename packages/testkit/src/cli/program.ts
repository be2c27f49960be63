// The command line of khonsu-check: options, files, exit status.
//
// 0: nothing that the model proscribes · 1: anomalies · 2: input or options that cannot be used · 3: undecided
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command, CommanderError, Option } from "commander";
import { MODELS } from "../checkers/index.ts";
import { drawAnomaly, drawLinearizabilityFailure } from "../drawing/index.ts";
import {
  FORMATS,
  type Format,
  type History,
  HistoryError,
  type Operation,
  readHistory,
  readHistoryFile,
  type Value,
  writeHistory,
} from "../history/index.ts";
import { type Fault, judge, OTHER_MODELS, SMALL_CHECK_NAMES, type Verdict } from "./judge.ts";
import { jsonReport, textReport } from "./report.ts";

/** Where the command reads and writes; the process itself, or a test. */
export interface Terminal {
  readonly input: AsyncIterable<string>;
  readonly output: (text: string) => void;
  readonly errors: (text: string) => void;
}

interface CheckOptions {
  readonly model: string;
  readonly format?: Format;
  readonly also: readonly string[];
  readonly initial: Value;
  readonly limit?: number;
  readonly json?: boolean;
  readonly svg?: string;
}

const EXAMPLES = `
Examples:
  khonsu-check history.jsonl                              is it strictly serializable?
  khonsu-check history.edn --model snapshot-isolation     a history of Jepsen, as Elle reads it
  khonsu-check registers.json --model linearizable        single reads, writes and compare-and-sets
  khonsu-check bank.edn --model none --also bank=100      the total of all accounts only
  khonsu-check history.jsonl --svg pictures               draw what was found
  khonsu-check convert history.jsonl --to edn             write it for Elle

Exit status: 0 nothing found, 1 anomalies, 2 input that cannot be used, 3 undecided.`;

/** Runs the command and resolves with its exit status. @param args without node and script */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let status = 0;
  const program = new Command("khonsu-check")
    .description("Checks a recorded history of a database against an isolation level or for linearizability.")
    .argument("<history>", "file to check; - for standard input")
    .addOption(
      new Option("-m, --model <model>", "what the store promises")
        .choices([...MODELS, "repeatable-read", ...OTHER_MODELS])
        .default("strict-serializable"),
    )
    .addOption(
      new Option("-f, --format <format>", "form of the history; told by its beginning if left out").choices([
        ...FORMATS,
      ]),
    )
    .option("--also <checks...>", `small checks to make as well: ${SMALL_CHECK_NAMES.join(", ")}`, [])
    .option("--initial <json>", "value of each register before the first write", parseInitial, null)
    .option("--limit <count>", "steps after which a search is given up (exit status 3)", parseLimit)
    .option("--json", "print the verdict as JSON")
    .option("--svg <directory>", "draw each fault into this directory")
    .addHelpText("after", EXAMPLES)
    .action(async (source: string, options: CheckOptions) => {
      status = await check(source, options, terminal);
    });
  program
    .command("convert")
    .description("Writes a history in another form.")
    .argument("<history>", "file to read; - for standard input")
    .addOption(
      new Option("-f, --format <format>", "form of the history; told by its beginning if left out").choices([
        ...FORMATS,
      ]),
    )
    .addOption(new Option("-t, --to <format>", "form to write").choices([...FORMATS]).makeOptionMandatory())
    .option("-o, --out <file>", "file to write; standard output if left out")
    .action(async (source: string, options: { format?: Format; to: Format; out?: string }) => {
      await convert(source, options, terminal);
    });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: terminal.output, writeErr: terminal.errors });
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!isUnusableInput(error)) throw error;
    terminal.errors(`khonsu-check: ${error.message}\n`);
    return 2;
  }
}

async function check(source: string, options: CheckOptions, terminal: Terminal): Promise<number> {
  const history = await read(source, options.format, terminal);
  const verdict = judge(history, options);
  const pictures = options.svg === undefined ? new Map<Fault, string>() : draw(verdict, history, options.svg);
  const report = options.json ? jsonReport : textReport;
  terminal.output(report(source, history, verdict, pictures));
  return verdict.valid === "unknown" ? 3 : verdict.valid ? 0 : 1;
}

async function convert(
  source: string,
  options: { format?: Format; to: Format; out?: string },
  terminal: Terminal,
): Promise<void> {
  const history = await read(source, options.format, terminal);
  const pieces = writeHistory(history, options.to);
  if (options.out === undefined) for (const piece of pieces) terminal.output(piece);
  else await pipeline(Readable.from(pieces), createWriteStream(options.out));
}

function read(source: string, format: Format | undefined, terminal: Terminal): Promise<Operation[]> {
  if (source !== "-") return readHistoryFile(source, format);
  return readHistory(terminal.input, {
    source: "standard input",
    ...(format === undefined ? {} : { format }),
  });
}

/** One file a fault, named after its kind; a number when there are several of a kind. */
function draw(verdict: Verdict, history: History, directory: string): Map<Fault, string> {
  mkdirSync(directory, { recursive: true });
  const pictures = new Map<Fault, string>();
  const numbers = new Map<string, number>();
  for (const fault of verdict.faults) {
    const svg =
      fault.failure === undefined
        ? drawAnomaly(fault.anomaly ?? { ...fault, cycle: [] }, history)
        : drawLinearizabilityFailure(fault.failure, history);
    const number = (numbers.get(fault.kind) ?? 0) + 1;
    numbers.set(fault.kind, number);
    const path = join(directory, number === 1 ? `${fault.kind}.svg` : `${fault.kind}-${number}.svg`);
    writeFileSync(path, svg);
    pictures.set(fault, path);
  }
  return pictures;
}

function parseInitial(text: string): Value {
  const value: unknown = JSON.parse(text);
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value as Value;
  throw new RangeError(`An initial value is a JSON string, number, true, false or null, not ${text}`);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (limit > 0) return limit;
  throw new RangeError(`A limit is a number above 0, not ${text}`);
}

/** Faults of the input and of the options; others are faults of this program. */
function isUnusableInput(error: unknown): error is Error {
  if (error instanceof HistoryError || error instanceof RangeError || error instanceof SyntaxError)
    return true;
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    typeof code === "string" || (error instanceof TypeError && String(message).startsWith("Cannot check"))
  );
}
