/**
 * Questions that wait for an answer, by number. Each ends once: answered, refused, too late, or with the link (WIRE-9). One timer does for
 * all of them.
 */
import type { Runtime } from "@khonsu/core";
import { EarliestTimer } from "../earliest-timer.ts";
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
  readonly #timer: EarliestTimer;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#timer = new EarliestTimer(runtime, (now) => this.#failLate(now));
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
    this.#timer.setFor(lateAt);
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
    this.#timer.clear();
    for (const number of [...this.#pending.keys()]) this.fail(number, error);
  }

  #end(number: number): Pending | undefined {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    return pending;
  }

  /** Fails what is late. @returns when the next one is */
  #failLate(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [number, { lateAt, timeoutMs, what }] of this.#pending) {
      if (lateAt > now) next = Math.min(next, lateAt);
      else {
        const message = `${what} did not answer within ${timeoutMs} ms`;
        this.fail(number, new TransportError("KHONSU_PEER_TIMEOUT", message));
      }
    }
    return next;
  }
}
