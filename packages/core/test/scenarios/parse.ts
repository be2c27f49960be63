/**
 * Scenarios as text, in the manner of PostgreSQL's isolation tester: clients with named steps, permutations of the steps
 * (every interleaving where none is given), and behind `----` what is expected. `#` begins a comment.
 *
 *   level serializable repeatable-read      levels to run at; default: serializable
 *   setup x=1 y=2                           what is there at the beginning
 *   storage by-hand                         commits become durable when a step `disk complete` says so
 *   client alice onConflict=append readOnly how its transactions begin
 *     a1 read x                             a step: name, verb, words
 *   permutation a1 b1 …                     an order to run in; may name steps again
 */
import type { ConflictResolution, IsolationLevel, TransactionOptions } from "../../src/index.ts";

export interface Step {
  readonly client: string;
  readonly name: string;
  readonly verb: string;
  readonly words: readonly string[];
}

export interface Scenario {
  readonly levels: readonly IsolationLevel[];
  readonly setup: readonly (readonly [string, number])[];
  readonly hasStorage: boolean;
  readonly clients: ReadonlyMap<string, TransactionOptions>;
  readonly steps: ReadonlyMap<string, Step>;
  /** Empty: every interleaving of the clients' steps. */
  readonly permutations: readonly (readonly Step[])[];
}

export interface ScenarioFile {
  readonly scenario: Scenario;
  /** Everything up to and with the line of dashes. */
  readonly head: string;
  readonly expected: string;
}

const DASHES = "----\n";

export function parseFile(text: string): ScenarioFile {
  const at = text.indexOf(`\n${DASHES}`);
  if (at < 0) throw new Error("A scenario has a line ---- before what is expected");
  const end = at + 1 + DASHES.length;
  return { scenario: parse(text.slice(0, at)), head: text.slice(0, end), expected: text.slice(end) };
}

function parse(text: string): Scenario {
  let levels: IsolationLevel[] = ["serializable"];
  const setup: [string, number][] = [];
  const clients = new Map<string, TransactionOptions>();
  const steps = new Map<string, Step>();
  const orders: string[][] = [];
  let hasStorage = false;
  let client = "";
  for (const line of text.split("\n")) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    const [first = "", second = "", ...rest] = words;
    if (first === "") continue;
    if (first === "level") levels = words.slice(1) as IsolationLevel[];
    else if (first === "setup") setup.push(...words.slice(1).map(assignment));
    else if (first === "storage") hasStorage = true;
    else if (first === "permutation") orders.push(words.slice(1));
    else if (first === "client") {
      client = second;
      clients.set(client, options(rest));
    } else {
      if (client === "" || steps.has(first)) throw new Error(`Cannot place the step: ${line}`);
      steps.set(first, { client, name: first, verb: second, words: rest });
    }
  }
  const permutations = orders.map((names) => names.map((name) => known(steps, name)));
  return { levels, setup, hasStorage, clients, steps, permutations };
}

function assignment(word: string): [string, number] {
  const [key, value] = word.split("=");
  return [key!, Number(value)];
}

function options(words: readonly string[]): TransactionOptions {
  const onConflict = words.find((word) => word.startsWith("onConflict="))?.slice("onConflict=".length);
  return {
    ...(onConflict === undefined ? {} : { onConflict: onConflict as ConflictResolution }),
    readOnly: words.includes("readOnly"),
  };
}

function known(steps: ReadonlyMap<string, Step>, name: string): Step {
  const step = steps.get(name);
  if (step === undefined) throw new Error(`A permutation names a step that no client has: ${name}`);
  return step;
}
