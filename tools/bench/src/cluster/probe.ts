/** A client that writes one key without a pause and notes when it was acknowledged: the longest time between two is what it saw of a failure. */
import type { KeyClient } from "./key-client.ts";

/** Writes that were begun after a failure and are acknowledged before it counts as over. */
const RECOVERED = 20;
const RETRY_MS = 5;

export class Probe {
  readonly #client: KeyClient;
  readonly #key: string;
  #isStopped = false;
  #last = performance.now();
  #longest = 0;
  #acknowledged = 0;
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;
  readonly #running: Promise<void>;

  constructor(client: KeyClient, key: string) {
    this.#client = client;
    this.#key = key;
    this.#running = this.#run();
  }

  /** Resolves once `count` more writes were begun and acknowledged. */
  untilAcknowledged(count: number): Promise<void> {
    // One more, which may have been begun before.
    return new Promise((resolve) => {
      this.#waiting = { count: this.#acknowledged + count + 1, resolve };
    });
  }

  /** The longest gap in milliseconds since the acknowledgement before this call, once writes go on; ends the probe. */
  async gap(): Promise<number> {
    this.#longest = 0;
    await this.untilAcknowledged(RECOVERED);
    this.#isStopped = true;
    await this.#running;
    return this.#longest;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#client.write(this.#key);
      } catch {
        // What a client of the cluster would do: try again.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      this.#note(performance.now());
    }
  }

  #note(now: number): void {
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
    this.#acknowledged++;
    if (this.#waiting !== undefined && this.#acknowledged >= this.#waiting.count) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve();
    }
  }
}
