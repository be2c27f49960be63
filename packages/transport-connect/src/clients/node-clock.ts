/**
 * CL-7: the clock of a client: that of the node that was heard last, carried on by the time that has passed here. So a client
 * whose own clock is wrong is as good as any.
 */
import type { Runtime } from "@khonsu/core";

export class NodeClock {
  readonly #runtime: Runtime;
  #offset: number | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Takes the node's clock, in milliseconds since 1970, as of now. */
  set(milliseconds: number): void {
    this.#offset = milliseconds - this.#runtime.now();
  }

  /** Milliseconds since 1970; 0 before a node was heard. */
  readonly read = (): number => (this.#offset === undefined ? 0 : this.#runtime.now() + this.#offset);
}
