/**
 * How long service pauses: one client for each shard commits to a key of it, again and again. The pause after a fault is the time until
 * every one of them has been acknowledged a commit that it began after the fault.
 */

/** Commits something to the shard; rejects or resolves in any case. */
export type Probe = () => Promise<void>;

export class PauseProbe {
  /** By probe: when each acknowledged commit was begun, and when it was acknowledged, in this order. */
  readonly #commits: { readonly begun: number; readonly acknowledged: number }[][];
  #isOver = false;
  readonly #running: Promise<unknown>;
  #acknowledged = 0;

  constructor(probes: readonly Probe[], betweenMs = 10) {
    this.#commits = probes.map(() => []);
    this.#running = Promise.all(probes.map((probe, index) => this.#run(probe, index, betweenMs)));
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Resolves with the pause after a fault at `at` (of `performance.now`), in milliseconds, once it is over. */
  async pauseAfter(at: number, limitMs: number): Promise<number> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const firsts = this.#commits.map((commits) => commits.find(({ begun }) => begun >= at));
      const known = firsts.filter((first) => first !== undefined);
      if (known.length === firsts.length)
        return Math.max(...known.map(({ acknowledged }) => acknowledged)) - at;
      if (performance.now() > deadline) throw new Error(`service was not back within ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(probe: Probe, index: number, betweenMs: number): Promise<void> {
    while (!this.#isOver) {
      const begun = performance.now();
      try {
        await probe();
        this.#commits[index]!.push({ begun, acknowledged: performance.now() });
        this.#acknowledged++;
      } catch {
        // Not acknowledged: the next attempt counts.
      }
      await new Promise((resolve) => setTimeout(resolve, betweenMs));
    }
  }
}
