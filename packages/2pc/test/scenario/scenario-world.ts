/**
 * What scenarios are played on: tables, coordinators, and a network that does only what a directive says. Directives:
 *
 * - `participants yes yes no`: that many participants with these votes; 0 is home, and a yes carries the number plus one
 * - `begin c1`, `recover r1 [participants=0,1]`, `crash c1`, `cancel c1`, `tick c1 100`: of a coordinator
 * - `watch 1 200`: so many ticks of recovery at a participant; whom it sends begins
 * - `deliver [to=1] [kind=prepare] [from=c1] [keep]`: the first such request; it stays in flight with `keep`
 * - `answer [to=c1] [from=0]`: the first such answer
 * - `run`: everything in flight, in order, until nothing is; `lose [to=1] [kind=prepare]`: everything such
 * - `floor 0 5`, `status`
 */
import type { CoordinatorEffect, Task } from "../../src/coordinator-state.ts";
import type { Request } from "../../src/message.ts";
import { OutcomeTable } from "../../src/outcome-table.ts";
import { PacedCoordinator } from "../../src/paced-coordinator.ts";
import { Recovery } from "../../src/recovery.ts";
import type { Status } from "../../src/status.ts";
import { parseDirective } from "./scenario-file.ts";

type Effects = readonly CoordinatorEffect<null, number, string>[];
type Message =
  | {
      readonly kind: "request";
      readonly from: string;
      readonly to: number;
      readonly request: Request<null, number, string>;
    }
  | {
      readonly kind: "answer";
      readonly from: number;
      readonly to: string;
      readonly status: Status<number, string>;
    };
type Directive = ReturnType<typeof parseDirective>;

const ID = { birth: 5, random: 1, home: 0 };

export class ScenarioWorld {
  #tables: OutcomeTable<null, number, string>[] = [];
  #coordinators = new Map<string, PacedCoordinator<null, number, string>>();
  #network: Message[] = [];
  #trace: string[] = [];

  /** Carries out a directive and gives the trace of all that it led to. */
  play(text: string): string {
    const directive = parseDirective(text);
    const verbs: Readonly<Record<string, (directive: Directive) => void>> = {
      participants: ({ words }) => this.#participants(words),
      begin: ({ words }) => this.#begin(words[0]!, "transaction", this.#tables.keys()),
      recover: ({ words, named }) =>
        this.#begin(
          words[0]!,
          "recovery",
          named.get("participants")?.split(",").map(Number) ?? this.#tables.keys(),
        ),
      crash: ({ words }) => void this.#coordinators.delete(words[0]!),
      cancel: ({ words }) => this.#follow(words[0]!, this.#coordinators.get(words[0]!)!.cancel()),
      tick: ({ words }) => this.#tick(words[0]!, Number(words[1])),
      watch: ({ words }) => this.#watch(Number(words[0]), Number(words[1])),
      deliver: (given) => this.#deliver(this.#take("request", given)),
      answer: (given) => this.#deliver(this.#take("answer", given)),
      run: () => this.#run(),
      lose: (given) => this.#lose(given),
      floor: ({ words }) => this.#tables[Number(words[0])]!.raiseFloor(Number(words[1])),
      status: () => this.#status(),
    };
    const verb = verbs[directive.verb];
    if (verb === undefined) throw new Error(`Unknown directive: ${text}`);
    this.#trace = [];
    verb(directive);
    return this.#trace.join("\n");
  }

  #participants(votes: readonly string[]): void {
    this.#tables = votes.map(
      (vote, self) =>
        new OutcomeTable(self, (_, __, others) =>
          vote === "yes"
            ? { kind: "yes", value: Math.max(self + 1, others ?? 0) }
            : { kind: vote as "no" | "refused", reason: "conflict" },
        ),
    );
  }

  #begin(name: string, how: "transaction" | "recovery", participants: Iterable<number>): void {
    const task: Task<null, number> = {
      id: ID,
      participants: [...participants],
      requests: new Map([...this.#tables.keys()].map((number) => [number, null])),
      merge: Math.max,
    };
    const coordinator = new PacedCoordinator<null, number, string>(task, { seed: 1 });
    this.#coordinators.set(name, coordinator);
    this.#follow(name, coordinator.begin(how));
  }

  #follow(name: string, effects: Effects): void {
    for (const effect of effects) {
      if (effect.kind === "report") this.#trace.push(`${name} reports ${describe(effect.result)}`);
      else {
        this.#trace.push(`${name} -> ${effect.to}  ${describe(effect.request)}`);
        this.#network.push({ kind: "request", from: name, to: effect.to, request: effect.request });
      }
    }
  }

  #tick(name: string, count: number): void {
    for (let tick = 0; tick < count; tick += 1) this.#follow(name, this.#coordinators.get(name)!.tick());
  }

  #watch(participant: number, count: number): void {
    const recovery = new Recovery(this.#tables[participant]!, { seed: 1 });
    const rescues = Array.from({ length: count }, () => recovery.tick()).flat();
    for (const { participants } of rescues) this.#begin(`r${participant}`, "recovery", participants);
  }

  #take(kind: Message["kind"], { words, named }: Directive): Message {
    const index = this.#network.findIndex((message) => message.kind === kind && matches(message, named));
    const message = this.#network[index];
    if (message === undefined) throw new Error("No such message is in flight");
    if (!words.includes("keep")) this.#network.splice(index, 1);
    return message;
  }

  #deliver(message: Message): void {
    const { from, to } = message;
    if (message.kind === "answer") {
      this.#trace.push(`${to} <- ${from}  ${describe(message.status)}`);
      this.#follow(
        String(to),
        this.#coordinators.get(String(to))?.answered(Number(from), message.status) ?? [],
      );
      return;
    }
    const { request } = message;
    const table = this.#tables[message.to]!;
    this.#trace.push(`${to} <- ${from}  ${describe(request)}`);
    if (request.kind === "inquire") {
      this.#reply(message, table.statusOf(request.id));
      return;
    }
    const { status, change } = table.apply(request);
    if (change.kind !== "none") this.#trace.push(`${to} ${change.kind}s`);
    this.#reply(message, status);
  }

  #reply(request: Extract<Message, { kind: "request" }>, status: Status<number, string>): void {
    this.#trace.push(`${request.to} -> ${request.from}  ${describe(status)}`);
    this.#network.push({ kind: "answer", from: request.to, to: request.from, status });
  }

  #run(): void {
    for (let message = this.#network.shift(); message !== undefined; message = this.#network.shift()) {
      this.#deliver(message);
    }
  }

  #lose({ named }: Directive): void {
    this.#network = this.#network.filter((message) => !matches(message, named));
  }

  #status(): void {
    for (const [number, table] of this.#tables.entries()) {
      this.#trace.push(`${number} ${describe(table.statusOf(ID))}`);
    }
    this.#trace.push(`${this.#network.length} in flight`);
  }
}

function matches(message: Message, named: ReadonlyMap<string, string>): boolean {
  const kind = message.kind === "request" ? message.request.kind : message.status.kind;
  const fields: Readonly<Record<string, string>> = {
    kind,
    from: String(message.from),
    to: String(message.to),
  };
  return [...named].every(([name, value]) => fields[name] === value);
}

/** A request, status or result on one line: its kind, and what there is beside it. */
function describe(
  what: Request<null, number, string> | Status<number, string> | { readonly kind: "inDoubt" },
): string {
  if (what.kind === "decide") return `decide ${describe(what.outcome)}`;
  if (what.kind === "acknowledge") return `acknowledge participants=${what.participants}`;
  if (what.kind === "aborted") return `aborted by=${what.reason.kind}`;
  if (what.kind === "commit") return what.votes === undefined ? "commit" : `commit votes=${what.votes}`;
  return "value" in what ? `${what.kind} value=${what.value}` : what.kind;
}
