/**
 * CL-4, CL-5: the questions of a client over one link: numbered, bounded in number as the node wants it, and each answered once, in whatever
 * order. Those beyond the bound wait here, in order; those that wait for a change are counted apart. One timer does for all
 * that are late.
 */
import type { Runtime } from "@khonsu/core";
import { EarliestTimer } from "../earliest-timer.ts";
import { messageOf, TransportError } from "../errors.ts";
import type { DescribeResponse } from "../gen/khonsu/client/v1/client_pb.ts";
import type { Failure } from "../gen/khonsu/client/v1/failure_pb.ts";
import { fromFailure } from "./failure.ts";
import type { Asked } from "./link.ts";

interface Pending {
  /** 0 while it waits here. */
  number: number;
  readonly asked: Asked;
  readonly limitMs: number;
  readonly lateAt: number;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
  parts: Uint8Array[] | undefined;
  /** Nobody waits for it any more; the node has it still. */
  isLate: boolean;
}

export interface QuestionsOptions {
  readonly address: string;
  readonly limits: Pick<DescribeResponse, "questionsMax" | "waitsMax" | "questionBytesMax">;
  readonly runtime: Pick<Runtime, "now" | "schedule">;
  /** Puts a question on its way. */
  readonly send: (number: number, asked: Asked) => void;
}

/** Bytes around a question in its frame, at most. */
const OVERHEAD_BYTES = 64;

export class Questions {
  readonly #options: QuestionsOptions;
  readonly #underWay = new Map<number, Pending>();
  readonly #waiting = { questions: [] as Pending[], waits: [] as Pending[] };
  readonly #counts = { questions: 0, waits: 0 };
  #number = 0;
  /** Of the bodies of those that are on their way, or wait to be. */
  #bytes = 0;
  #onIdle = () => {};
  #ended: TransportError | undefined;
  readonly #timer: EarliestTimer;

  constructor(options: QuestionsOptions) {
    this.#options = options;
    this.#timer = new EarliestTimer(options.runtime, (now) => this.#expireLate(now));
  }

  /** Questions that are on their way, and those of them that wait for a change. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Bytes of the questions that are on their way, or wait to be. */
  get bytes(): number {
    return this.#bytes;
  }

  ask(asked: Asked, limitMs: number): Promise<Uint8Array> {
    const { limits, runtime } = this.#options;
    const bytes = asked.body.length;
    if (bytes + OVERHEAD_BYTES > limits.questionBytesMax) {
      const message = `Cannot ask: the question has ${bytes} bytes, the node takes up to ${limits.questionBytesMax - OVERHEAD_BYTES}`;
      return Promise.reject(new TransportError("KHONSU_FRAME_TOO_LARGE", message));
    }
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      const lateAt = runtime.now() + limitMs;
      const pending = { number: 0, asked, limitMs, lateAt, resolve, reject, parts: undefined, isLate: false };
      this.#bytes += bytes;
      if (this.#hasRoom(asked.isWait)) this.#dispatch(pending);
      else this.#waiting[asked.isWait ? "waits" : "questions"].push(pending);
      this.#timer.setFor(lateAt);
    });
  }

  onAnswer(number: number, body: Uint8Array): void {
    const pending = this.#settle(number);
    pending?.resolve(pending.parts === undefined ? body : joined([...pending.parts, body]));
  }

  onPart(number: number, body: Uint8Array): void {
    const pending = this.#underWay.get(number);
    if (pending === undefined || pending.isLate) return;
    pending.parts ??= [];
    pending.parts.push(body);
  }

  /** @param failure undefined for a reply that says nothing */
  onFailure(number: number, failure: Failure | undefined): void {
    const error =
      failure === undefined
        ? new TransportError("KHONSU_FRAME_MALFORMED", "Cannot read the reply: it is empty")
        : fromFailure(failure);
    this.#settle(number)?.reject(error);
  }

  /** Forgets what has come of the answer to a question that is asked again. */
  restart(number: number): void {
    const pending = this.#underWay.get(number);
    if (pending !== undefined) pending.parts = undefined;
  }

  /** Calls `run` once nothing is under way. */
  whenIdle(run: () => void): void {
    this.#onIdle = run;
    if (this.#underWay.size === 0) run();
  }

  /** Rejects all that is under way and all that waits. */
  end(error: TransportError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#timer.clear();
    const all = this.#all();
    this.#underWay.clear();
    this.#waiting.questions.length = 0;
    this.#waiting.waits.length = 0;
    this.#bytes = 0;
    for (const { reject } of all) reject(error);
  }

  #all(): Pending[] {
    const { questions, waits } = this.#waiting;
    return [...this.#underWay.values(), ...questions, ...waits];
  }

  #hasRoom(isWait: boolean): boolean {
    const { questionsMax, waitsMax } = this.#options.limits;
    return isWait ? this.#counts.waits < waitsMax : this.#counts.questions < questionsMax;
  }

  /** The end of a question; undefined if nobody waits for it any more. The next one goes in its place. */
  #settle(number: number): Pending | undefined {
    const pending = this.#underWay.get(number);
    if (pending === undefined) return undefined;
    const { body, isWait } = pending.asked;
    this.#underWay.delete(number);
    this.#counts[isWait ? "waits" : "questions"]--;
    this.#bytes -= body.length;
    this.#next(isWait);
    if (this.#underWay.size === 0) this.#onIdle();
    return pending.isLate ? undefined : pending;
  }

  #next(isWait: boolean): void {
    const waiting = this.#waiting[isWait ? "waits" : "questions"];
    const next = waiting.length === 0 ? undefined : waiting.shift();
    if (next !== undefined) this.#dispatch(next);
  }

  #dispatch(pending: Pending): void {
    const { asked } = pending;
    pending.number = this.#nextNumber();
    this.#underWay.set(pending.number, pending);
    this.#counts[asked.isWait ? "waits" : "questions"]++;
    asked.isSent = true;
    this.#options.send(pending.number, asked);
  }

  #nextNumber(): number {
    this.#number = this.#number === 0xffff_ffff ? 1 : this.#number + 1;
    return this.#number;
  }

  /** Rejects what is late. @returns when the next one is */
  #expireLate(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const pending of this.#all()) {
      if (pending.isLate) continue;
      if (pending.lateAt <= now) this.#expire(pending);
      else next = Math.min(next, pending.lateAt);
    }
    return next;
  }

  /** One that waits here is not sent at all; one that is under way counts until the node has answered it. */
  #expire(pending: Pending): void {
    const { asked, limitMs, number } = pending;
    pending.isLate = true;
    pending.parts = undefined;
    if (number === 0) {
      const waiting = this.#waiting[asked.isWait ? "waits" : "questions"];
      waiting.splice(waiting.indexOf(pending), 1);
      this.#bytes -= asked.body.length;
    }
    const message = `${this.#options.address} did not answer within ${limitMs} ms`;
    pending.reject(new TransportError("KHONSU_PEER_TIMEOUT", message));
  }
}

/** The error of a link that broke, whatever broke it. */
export function linkLost(address: string, cause: unknown): TransportError {
  const message = `The link to ${address} broke: ${messageOf(cause)}`;
  return new TransportError("KHONSU_PEER_UNREACHABLE", message, { cause });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
