/**
 * Merges the segments of a key when `merge-policy.ts` says so: reads them, combines their rows, and has the group that is about to
 * be written replace them by one. The merge is part of that group's atomic batch, so no crash can come between (SF-7).
 */
import { type CommitTimestamp, concatBatches } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import type { Contents, Segment } from "./contents.ts";
import type { LevelDatabase } from "./database.ts";
import { corrupt, quoted } from "./failures.ts";
import type { KeyChange } from "./group.ts";
import { segmentKey } from "./key-codec.ts";
import { mergeDue } from "./merge-policy.ts";
import { decodeSegment } from "./segment-reader.ts";

/** A group takes no more merges once they come to as many bytes; the others wait for the next group. */
const GROUP_BYTES_MAX = 8 * 2 ** 20;

/** The segments of `key` from `keep` on as one batch. */
export interface MergedSegments {
  readonly key: string;
  readonly keep: number;
  readonly rows: RecordBatch;
  /** Of the last commit that the segments hold. */
  readonly timestamp: CommitTimestamp;
}

export class SegmentMerger {
  readonly #database: LevelDatabase;
  readonly #contents: Contents;
  /** Keys that had a merge due when they were last written. */
  readonly #due = new Set<string>();

  constructor(database: LevelDatabase, contents: Contents) {
    this.#database = database;
    this.#contents = contents;
    for (const key of contents.keys()) this.notice(key, contents.segments(key));
  }

  /** Whether `take` may find something to do. */
  get isDue(): boolean {
    return this.#due.size > 0;
  }

  /** The segments of `key` have changed. */
  notice(key: string, segments: readonly Segment[]): void {
    if (mergeDue(segments) > 0) this.#due.add(key);
  }

  /** The merges that go with a group which makes `changes`; keys that the group replaces or deletes need none. */
  async take(changes: ReadonlyMap<string, KeyChange>): Promise<MergedSegments[]> {
    const merged: MergedSegments[] = [];
    let bytes = 0;
    for (const key of this.#due) {
      if (bytes >= GROUP_BYTES_MAX) break;
      this.#due.delete(key);
      const segments = this.#contents.segments(key);
      const run = mergeDue(segments);
      const replaced = (changes.get(key)?.kind ?? "append") !== "append";
      if (run === 0 || replaced) continue;
      const keep = segments.length - run;
      for (const segment of segments.slice(keep)) bytes += segment.bytes;
      merged.push(await this.#merge(key, keep, segments.length));
    }
    return merged;
  }

  async #merge(key: string, keep: number, end: number): Promise<MergedSegments> {
    const keys = Array.from({ length: end - keep }, (_, index) => segmentKey(key, keep + index));
    const values = await this.#database.getMany(keys);
    const decoded = values.map((value, index) => {
      if (value === undefined) throw corrupt(`segment ${keep + index} of key ${quoted(key)} is missing`);
      return decodeSegment(key, keep + index, keys[index]!, value, this.#contents.schemas);
    });
    const rows = concatBatches(decoded.flatMap((segment) => segment.batches));
    return { key, keep, rows, timestamp: decoded.at(-1)!.header.timestamp as CommitTimestamp };
  }
}
