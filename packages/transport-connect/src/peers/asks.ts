/**
 * Questions that wait for an answer, by number. Each ends once: answered, refused, too late, or with the link (WIRE-9). One timer does for
 * all of them, set for the one that is late first: nearly all are answered long before, and a timer each would cost as much as
 * the question.
 */
import type { Runtime } from "@khonsu/core";
import { TransportError } from "../errors.ts";

interface Pending {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: TransportError) => void;
  readonly what: string;
  readonly timeoutMs: number;
  readonly lateAt: number;
}

export class Asks {
  readonly #runtime: Runtime;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  /** When the timer is set for; infinite while there is none. */
  #timerAt = Number.POSITIVE_INFINITY;
  #cancelTimer: () => void = () => {};

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** A new question. @param what it is about, for the error when it is late */
  open(what: string, timeoutMs: number): { readonly number: number; readonly answer: Promise<Uint8Array> } {
    const number = ++this.#last;
    const lateAt = this.#runtime.now() + timeoutMs;
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      this.#pending.set(number, { resolve, reject, what, timeoutMs, lateAt });
    });
    if (lateAt < this.#timerAt) this.#setTimer(lateAt);
    return { number, answer };
  }

  /** An answer that nobody waits for any more is no error. */
  answer(number: number, body: Uint8Array): void {
    this.#end(number)?.resolve(body);
  }

  fail(number: number, error: TransportError): void {
    this.#end(number)?.reject(error);
  }

  failAll(error: TransportError): void {
    this.#setTimer(Number.POSITIVE_INFINITY);
    for (const number of [...this.#pending.keys()]) this.fail(number, error);
  }

  #end(number: number): Pending | undefined {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    return pending;
  }

  #setTimer(at: number): void {
    this.#cancelTimer();
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#runtime.schedule(Math.max(0, at - this.#runtime.now()), () => this.#onTimer());
  }

  /** Fails what is late, and sets the timer for what is late next. */
  #onTimer(): void {
    const now = this.#runtime.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [number, { lateAt, timeoutMs, what }] of this.#pending) {
      if (lateAt > now) next = Math.min(next, lateAt);
      else {
        const message = `${what} did not answer within ${timeoutMs} ms`;
        this.fail(number, new TransportError("KHONSU_PEER_TIMEOUT", message));
      }
    }
    this.#setTimer(next);
  }
}
