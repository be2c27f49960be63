/**
 * Who leads the shards that have no replica on this node, for people: asked of the nodes that have one, a few shards at a time, and only while
 * somebody looks. What it says may be a few seconds old, and nothing is decided by it.
 */
import type { Runtime } from "@khonsu/core";
import type { AskNode, Directory } from "./directory.ts";
import { GroupAccess } from "./group-access.ts";
import { DIRECTORY_GROUP, type DirectoryState } from "./state.ts";

export interface LeaderSurveyOptions {
  readonly self: number;
  readonly directory: Pick<Directory, "state">;
  readonly runtime: Runtime;
  readonly ask: AskNode;
}

/** How long it goes on after somebody has looked, and how long there is between two rounds, in milliseconds. */
const LOOKED_AT_MS = 10_000;
const EVERY_MS = 1000;
/** Shards that a round asks for. */
const SHARDS_MAX = 64;

export class LeaderSurvey {
  readonly #options: LeaderSurveyOptions;
  readonly #groups: GroupAccess;
  readonly #leaders = new Map<number, number>();
  /** By the clock of the runtime. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isRunning = false;
  #isClosed = false;
  /** Where the next round begins, among the shards that are not here. */
  #next = 0;

  constructor(options: LeaderSurveyOptions) {
    this.#options = options;
    this.#groups = new GroupAccess(options.ask);
  }

  /** The node that leads a shard of which there is no replica here; undefined while it is not known. */
  leaderOf(shard: number): number | undefined {
    this.#lookedAt = this.#options.runtime.now();
    if (!this.#isRunning && !this.#isClosed) {
      this.#isRunning = true;
      void this.#round();
    }
    return this.#leaders.get(shard);
  }

  /** Asks nobody any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #round(): Promise<void> {
    const { directory, runtime } = this.#options;
    if (directory.state !== undefined) await this.#ask(directory.state);
    this.#isRunning = !this.#isClosed && runtime.now() - this.#lookedAt < LOOKED_AT_MS;
    if (this.#isRunning) runtime.schedule(EVERY_MS, () => void this.#round());
    else this.#leaders.clear();
  }

  async #ask(state: DirectoryState): Promise<void> {
    const { self } = this.#options;
    const elsewhere = [...state.groups.values()].filter(
      ({ group, replicas }) => group !== DIRECTORY_GROUP && !replicas.some(({ node }) => node === self),
    );
    const begin = this.#next < elsewhere.length ? this.#next : 0;
    this.#next = begin + SHARDS_MAX;
    await Promise.all(
      elsewhere.slice(begin, begin + SHARDS_MAX).map(async (record) => {
        const led = await this.#groups.inspect(record);
        if (led === undefined) this.#leaders.delete(record.group);
        else this.#leaders.set(record.group, led.leader);
      }),
    );
  }
}
