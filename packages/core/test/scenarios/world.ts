/** The store of a scenario, its clients, and what their steps do. */
import { isKhonsuError, Khonsu, type Transaction, type TransactionOptions } from "../../src/index.ts";
import { rows, valuesIn } from "../batches.ts";
import { HandDrivenStorage } from "../hand-driven-storage.ts";
import { settle, VirtualRuntime } from "../virtual-runtime.ts";
import type { Scenario, Step } from "./parse.ts";

class Client {
  readonly options: TransactionOptions;
  transaction: Transaction | undefined = undefined;
  /** Lets a body go on that waits in the middle. */
  gate = Promise.withResolvers<void>();
  abort = new AbortController();
  outcome = "open";

  constructor(options: TransactionOptions) {
    this.options = options;
  }
}

interface Waiting {
  readonly step: Step;
  settled: string | undefined;
}

export class World {
  readonly #db: Khonsu;
  readonly #runtime: VirtualRuntime;
  readonly #storage: HandDrivenStorage | undefined;
  readonly #clients: ReadonlyMap<string, Client>;
  readonly #waiting = new Set<Waiting>();

  private constructor(
    db: Khonsu,
    runtime: VirtualRuntime,
    storage: HandDrivenStorage | undefined,
    scenario: Scenario,
  ) {
    this.#db = db;
    this.#runtime = runtime;
    this.#storage = storage;
    this.#clients = new Map([...scenario.clients].map(([name, options]) => [name, new Client(options)]));
  }

  static async open(scenario: Scenario, isolation: Scenario["levels"][number]): Promise<World> {
    const storage = scenario.hasStorage ? new HandDrivenStorage() : undefined;
    const runtime = new VirtualRuntime();
    const db = await Khonsu.open({ isolation, runtime, storage, detectLeaks: false });
    const world = new World(db, runtime, storage, scenario);
    if (scenario.setup.length > 0) {
      const ready = db.transact((tx) => {
        for (const [key, value] of scenario.setup) tx.write(key, rows(value));
      });
      await settle();
      if (storage?.isWriting) storage.complete();
      await ready;
    }
    return world;
  }

  /** What the step led to, one line each: its own outcome, and that of steps that had waited. */
  async take(step: Step): Promise<string[]> {
    const client = this.#clients.get(step.client)!;
    const waiting: Waiting = { step, settled: undefined };
    const earlier = [...this.#waiting];
    this.#waiting.add(waiting);
    this.#perform(client, step).then(
      (result) => {
        waiting.settled = result;
      },
      (error: unknown) => {
        waiting.settled = describeError(error);
      },
    );
    await settle();
    const lines = [`${describeStep(step)} -> ${waiting.settled ?? "waits"}`];
    for (const each of earlier) {
      if (each.settled !== undefined) lines.push(`    ${describeStep(each.step)} -> ${each.settled}`);
    }
    for (const each of [...earlier, waiting]) {
      if (each.settled === undefined) continue;
      this.#waiting.delete(each);
      const ends = ["commit", "rollback", "take", "take-either", "take-slowly", "hold"];
      if (ends.includes(each.step.verb)) {
        this.#clients.get(each.step.client)!.outcome = each.settled.split(" ")[0]!;
      }
    }
    return lines;
  }

  /** How each client that commits has ended, and what is there. */
  async summary(): Promise<string> {
    const outcomes = [...this.#clients]
      .filter(([, { outcome, transaction }]) => outcome !== "open" || transaction !== undefined)
      .map(([name, { outcome }]) => `${name} ${outcome}`);
    return `${outcomes.join(", ")}; ${await this.contents()}`;
  }

  async contents(): Promise<string> {
    const reader = this.#db.begin({ isolation: "repeatable-read", readOnly: true });
    const all = describeAll(reader.scan());
    reader.rollback();
    return all;
  }

  async #perform(client: Client, { verb, words }: Step): Promise<string> {
    const [first = "", second = ""] = words;
    const isolated = { ...client.options };
    switch (verb) {
      case "take":
        return this.#transact(client, (tx) => take(tx, first));
      case "take-either":
        return this.#transact(client, (tx) =>
          tx.orElse(
            (left) => take(left, first),
            (right) => take(right, second),
          ),
        );
      case "take-slowly":
        return this.#transact(client, async (tx) => {
          const isThere = tx.has(first);
          await client.gate.promise;
          tx.check(isThere);
          return take(tx, first);
        });
      case "hold":
        return this.#transact(client, async (tx) => {
          tx.read(first);
          tx.write(first, rows(Number(second)));
          await client.gate.promise;
          return "done";
        });
      case "resume":
        client.gate.resolve();
        return "ok";
      case "throw":
        client.gate.reject(new Error("thrown in the body"));
        return "ok";
      case "abort":
        client.abort.abort();
        return "ok";
      case "advance":
        this.#runtime.advance(Number(first));
        return "ok";
      case "disk":
        if (first === "complete") this.#storage!.complete();
        else this.#storage!.fail(new Error("disk full"));
        return "ok";
      case "stats":
        return this.#stats(words);
      default:
        client.transaction ??= this.#db.begin(isolated);
        return onTransaction(client.transaction, verb, words);
    }
  }

  async #transact(client: Client, body: (tx: Transaction) => unknown): Promise<string> {
    const { signal } = client.abort;
    const result = await this.#db.transact(body, { ...client.options, signal, timeout: 1000 });
    return `committed ${String(result)}`;
  }

  #stats(names: readonly string[]): string {
    const stats: Record<string, unknown> = { ...this.#db.stats() };
    return names.map((name) => `${name} ${String(stats[name])}`).join(", ");
  }
}

function take(tx: Transaction, key: string): string {
  const batch = tx.read(key);
  if (batch === undefined) return tx.retry();
  tx.delete(key);
  return valuesIn(batch).join("+");
}

function onTransaction(
  tx: Transaction,
  verb: string,
  [key = "", value]: readonly string[],
): string | Promise<string> {
  switch (verb) {
    case "begin":
      return "ok";
    case "read": {
      const batch = tx.read(key);
      return batch === undefined ? "absent" : valuesIn(batch).join("+");
    }
    case "scan":
      return describeAll(tx.scan({ prefix: key }));
    case "write":
      tx.write(key, rows(Number(value)));
      return "ok";
    case "append":
      tx.append(key, rows(Number(value)), { keyColumn: null });
      return "ok";
    case "delete":
    case "ensure":
    case "savepoint":
      tx[verb](key);
      return "ok";
    case "rollback-to":
      tx.rollbackTo(key);
      return "ok";
    case "rollback":
      tx.rollback();
      return "rolled back";
    case "commit":
      return tx.commit().then((timestamp) => `committed ${timestamp}`);
    default:
      throw new TypeError(`A step has an unknown verb: ${verb}`);
  }
}

function describeAll(entries: Iterable<readonly [string, Parameters<typeof valuesIn>[0]]>): string {
  const all = [...entries].map(([key, batch]) => `${key}=${valuesIn(batch).join("+")}`);
  return all.length === 0 ? "nothing" : all.join(" ");
}

function describeStep({ client, name, verb, words }: Step): string {
  return [client, name, verb, ...words].join(" ");
}

function describeError(error: unknown): string {
  if (!isKhonsuError(error)) {
    if (error instanceof TypeError) throw error;
    return `error ${JSON.stringify((error as Error).message)}`;
  }
  const conflicts = error.conflicts.map(({ kind, key }) => ` (${kind} ${key})`);
  return `${error.code}${conflicts.join("")}`;
}
