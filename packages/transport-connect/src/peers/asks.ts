/** Questions that wait for an answer, by number. Each ends once: answered, refused, too late, or with the link (WIRE-9). */
import type { Runtime } from "@khonsu/core";
import { TransportError } from "../errors.ts";

interface Pending {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: TransportError) => void;
  readonly cancel: () => void;
}

export class Asks {
  readonly #runtime: Runtime;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** A new question. @param what it is about, for the error when it is late */
  open(what: string, timeoutMs: number): { readonly number: number; readonly answer: Promise<Uint8Array> } {
    const number = ++this.#last;
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      const cancel = this.#runtime.schedule(timeoutMs, () => {
        this.fail(
          number,
          new TransportError("KHONSU_PEER_TIMEOUT", `${what} did not answer within ${timeoutMs} ms`),
        );
      });
      this.#pending.set(number, { resolve, reject, cancel });
    });
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
    for (const number of [...this.#pending.keys()]) this.fail(number, error);
  }

  #end(number: number): Pending | undefined {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    pending?.cancel();
    return pending;
  }
}
