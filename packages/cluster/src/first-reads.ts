/**
 * The reads of a transaction that are asked for before it has a snapshot: all at once, each shard at its own clock. The snapshot is the least
 * of these clocks, so that no shard has to advance to it, and an answer stands where what it says is the same at the snapshot; else
 * the read is done again, there (TX-20).
 */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { Answer } from "./messages.ts";

export type ReadAnswer = Extract<Answer, { kind: "read" }>;

/**
 * How far apart the clocks of shards may be for the least to be taken, in timestamps: a second. The clock of a shard that is idle is far behind,
 * and what others had then may be purged; it had better advance.
 */
const SPREAD_MAX = 1000 * 2048;

export class FirstReads {
  /** Timestamps of the answers that are there. */
  readonly #times: CommitTimestamp[] = [];
  /** The newest version that one of them told of. */
  #newest = 0;
  #pending = 0;
  #settle: (snapshot: CommitTimestamp | undefined) => void = () => {};
  /** The snapshot, once every read has been answered or has failed; undefined if all have failed. */
  readonly snapshot: Promise<CommitTimestamp | undefined>;

  constructor() {
    this.snapshot = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Waits for an answer, and then for the others. Rejects with what `asked` rejects with. */
  async join(asked: Promise<ReadAnswer>): Promise<ReadAnswer> {
    this.#pending++;
    try {
      const answer = await asked;
      this.#times.push(answer.at);
      for (const { version } of answer.entries) this.#newest = Math.max(this.#newest, version);
      return answer;
    } finally {
      if (--this.#pending === 0) this.#settle(snapshotOf(this.#times, this.#newest));
    }
  }
}

/** Below a version that was found, the read of its key would be outdated from the beginning. */
function snapshotOf(times: readonly CommitTimestamp[], newest: number): CommitTimestamp | undefined {
  if (times.length === 0) return undefined;
  const [least, most] = [Math.min(...times), Math.max(...times)];
  return (most - least <= SPREAD_MAX ? Math.max(least, newest) : most) as CommitTimestamp;
}

/**
 * Whether an answer says what the shard would say of `snapshot`. What is absent later may have been there before, and of ranges nobody
 * can tell.
 */
export function standsAt({ at, entries, ranges }: ReadAnswer, snapshot: CommitTimestamp): boolean {
  if (at === snapshot) return true;
  return (
    at > snapshot && ranges.length === 0 && entries.every(({ version }) => version > 0 && version <= snapshot)
  );
}
