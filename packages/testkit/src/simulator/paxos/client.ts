// A process of the workload: issues its operations one after the other and repeats each, with the same command identity, at one node
// after another until it has an answer. It records what it saw as a history for the linearizability checker.
//
// Several processes may share a session (they number their commands together), so that a session has more than one unanswered.
// Attempt numbers tell a late answer to an earlier operation from one to the present operation.

import type { Operation } from "../../history/index.ts";
import { ensure } from "../failure.ts";
import type { Prng } from "../prng.ts";
import type { Scheduler, Timer } from "../scheduler.ts";
import type { ClientReply, ClientRequest } from "./client-protocol.ts";
import type { WorkloadOperation } from "./operation.ts";
import { encodeCommand, type RegisterCommand } from "./register-machine.ts";

/** Who numbers the commands of some processes. */
export interface Session {
  readonly client: number;
  lastSequence: number;
  /** Commands that somebody waits for. The next one must stay within the session's window of the oldest. */
  readonly unanswered: Set<number>;
}

/** How far ahead of its oldest unanswered command a session goes; below `sessionWindow`. */
const SESSION_LEAD_MAX = 60;
const WINDOW_WAIT_US = 20_000;

export interface ClientOptions {
  readonly process: number;
  readonly operations: readonly WorkloadOperation[];
  readonly session: Session;
  readonly nodes: readonly number[];
  /** Whether it asks these nodes only, however broken they are: then nobody waits for it. */
  readonly isPinned: boolean;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** Mean time to wait for an answer before trying another node, in microseconds. */
  readonly retryMeanUs: number;
  readonly send: (node: number, request: ClientRequest) => void;
  readonly newSession: () => Session;
  /** A number larger than any before: orders invocations and completions of all processes. */
  readonly stamp: () => number;
  readonly onCompleted: (operation: Operation, invokedUs: number) => void;
}

interface Pending {
  readonly operation: WorkloadOperation;
  readonly command: RegisterCommand | undefined;
  readonly sequence: number;
  readonly value: string;
  readonly invoke: number;
  readonly invokedUs: number;
  firstAttempt: number;
  abandon: Timer | undefined;
}

export class Client {
  readonly #options: ClientOptions;
  #session: Session;
  #next = 0;
  #finished = 0;
  #isStopped = false;
  #attempt = 0;
  #target: number | undefined;
  #pending: Pending | undefined;
  #retry: Timer | undefined;
  /** What this process saw last in each register: what its next compare-and-set expects. */
  readonly #seen = new Map<string, string | null>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#scheduleNext();
  }

  get isPinned(): boolean {
    return this.#options.isPinned;
  }

  get isDone(): boolean {
    return this.#finished >= this.#options.operations.length;
  }

  /** What it waits for, for a report. */
  get waitingFor(): string | undefined {
    const pending = this.#pending;
    if (pending === undefined) return undefined;
    const { kind, key } = pending.operation;
    return `process ${this.#options.process}: ${kind} ${key} (command ${this.#session.client}.${pending.sequence})`;
  }

  /** Ends the process: what is in flight has an unknown outcome. */
  stop(): void {
    const pending = this.#pending;
    this.#retry?.cancel();
    this.#isStopped = true;
    this.#pending = undefined;
    if (pending === undefined) return;
    pending.abandon?.cancel();
    this.#recordUnknown(pending);
  }

  receive(reply: ClientReply): void {
    const pending = this.#pending;
    if (pending === undefined || reply.attempt < pending.firstAttempt) return;
    if (reply.kind === "refused") this.#onRefused(reply);
    else if (reply.kind === "value") this.#complete(pending, ["r", pending.operation.key, reply.value]);
    else this.#onAnswered(pending, reply.answer.applied);
  }

  #scheduleNext(): void {
    const operation = this.#options.operations[this.#next];
    if (operation === undefined) return;
    this.#next += 1;
    this.#options.scheduler.after(operation.thinkUs, () => this.#invoke(operation));
  }

  #invoke(operation: WorkloadOperation): void {
    if (this.#isStopped) return;
    const { process, stamp, scheduler } = this.#options;
    const value = `${process}.${this.#next}`;
    const command = this.#commandOf(operation, value);
    if (command !== undefined && !this.#hasRoom()) {
      scheduler.after(WINDOW_WAIT_US, () => this.#invoke(operation));
      return;
    }
    const sequence = command === undefined ? 0 : this.#nextSequence();
    const pending: Pending = {
      operation,
      command,
      sequence,
      value,
      invoke: stamp(),
      invokedUs: scheduler.nowUs,
      firstAttempt: this.#attempt + 1,
      abandon: undefined,
    };
    if (operation.abandonAfterUs !== undefined) {
      pending.abandon = scheduler.after(operation.abandonAfterUs, () => this.#abandon(pending));
    }
    this.#pending = pending;
    this.#send();
  }

  #hasRoom(): boolean {
    const { lastSequence, unanswered } = this.#session;
    return unanswered.size === 0 || lastSequence - Math.min(...unanswered) < SESSION_LEAD_MAX;
  }

  #nextSequence(): number {
    this.#session.lastSequence += 1;
    this.#session.unanswered.add(this.#session.lastSequence);
    return this.#session.lastSequence;
  }

  #commandOf({ kind, key }: WorkloadOperation, value: string): RegisterCommand | undefined {
    if (kind === "read") return undefined;
    if (kind === "write") return { kind, key, value };
    return { kind, key, expected: this.#seen.get(key) ?? null, value };
  }

  #send(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const { nodes, prng, retryMeanUs, scheduler, send } = this.#options;
    this.#attempt += 1;
    this.#target ??= prng.pick(nodes);
    const attempt = this.#attempt;
    const request: ClientRequest =
      pending.command === undefined
        ? { kind: "read", attempt, key: pending.operation.key }
        : {
            kind: "propose",
            attempt,
            client: this.#session.client,
            sequence: pending.sequence,
            command: encodeCommand(pending.command),
          };
    send(this.#target, request);
    this.#retry?.cancel();
    this.#retry = scheduler.after(retryMeanUs / 2 + prng.exponential(retryMeanUs / 2), () => {
      this.#target = undefined;
      this.#send();
    });
  }

  #onRefused(reply: Extract<ClientReply, { kind: "refused" }>): void {
    const mayRetry = reply.retryable || reply.code === "KHONSU_REPLICA_STOPPED"; // that one, at another node
    ensure(mayRetry, "refused-for-good", () => `A live command was refused with ${reply.code}`);
    if (reply.attempt !== this.#attempt) return;
    this.#retry?.cancel();
    const { prng, retryMeanUs, scheduler } = this.#options;
    const pauseUs = prng.exponential(retryMeanUs / 4);
    this.#target = prng.chance(0.8) ? reply.leader : undefined;
    this.#retry = scheduler.after(pauseUs, () => this.#send());
  }

  #onAnswered(pending: Pending, applied: boolean): void {
    const { command } = pending;
    if (command === undefined) return;
    if (command.kind === "write") this.#complete(pending, ["w", command.key, command.value]);
    else this.#complete(pending, ["cas", command.key, command.expected, command.value, applied]);
  }

  #complete(pending: Pending, op: Operation["ops"][number]): void {
    const { process, stamp, onCompleted } = this.#options;
    pending.abandon?.cancel();
    this.#retry?.cancel();
    this.#pending = undefined;
    this.#finished += 1;
    this.#session.unanswered.delete(pending.sequence);
    this.#noteSeen(op);
    onCompleted(
      { process, invoke: pending.invoke, complete: stamp(), outcome: "ok", ops: [op] },
      pending.invokedUs,
    );
    this.#scheduleNext();
  }

  #noteSeen(op: Operation["ops"][number]): void {
    if (op[0] === "r") this.#seen.set(String(op[1]), (op[2] ?? null) as string | null);
    else if (op[0] === "w") this.#seen.set(String(op[1]), op[2] as string);
    else if (op[0] === "cas" && op[4] === true) this.#seen.set(String(op[1]), op[3] as string);
  }

  /** Walks away: the outcome stays unknown, and so does its place in the session, which nobody uses any more. */
  #abandon(pending: Pending): void {
    const { newSession } = this.#options;
    if (this.#pending !== pending) return;
    this.#retry?.cancel();
    this.#pending = undefined;
    this.#finished += 1;
    this.#session.unanswered.delete(pending.sequence);
    this.#session = newSession();
    this.#recordUnknown(pending);
    this.#scheduleNext();
  }

  #recordUnknown({ command, invoke, invokedUs }: Pending): void {
    const { process, onCompleted, stamp } = this.#options;
    if (command === undefined) return;
    const { kind, key, value } = command;
    const op: Operation["ops"][number] =
      kind === "write" ? ["w", key, value] : ["cas", key, command.expected, value];
    onCompleted({ process, invoke, complete: stamp(), outcome: "unknown", ops: [op] }, invokedUs);
  }
}
