/**
 * What a group of commits does to each key, taken together. The group lands in one atomic batch, so only its last effect on a
 * key has to be written: a key that was put ten times is encoded once.
 */
import type { CommitRecord, CommitTimestamp, Mutation } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";

/** The effect of a group on one key. */
export interface KeyChange {
  readonly kind: Mutation["kind"];
  /** Of the last commit of the group that changed the key. */
  readonly timestamp: CommitTimestamp;
  /** The new value, or the new rows; empty for a delete. */
  readonly chunks: readonly RecordBatch[];
}

/** The effect of `commits`, in commit order, on every key they name. */
export function foldGroup(commits: readonly CommitRecord[]): Map<string, KeyChange> {
  const changes = new Map<string, KeyChange>();
  for (const { timestamp, mutations } of commits) {
    for (const mutation of mutations) {
      changes.set(mutation.key, after(changes.get(mutation.key), mutation, timestamp));
    }
  }
  return changes;
}

function after(earlier: KeyChange | undefined, mutation: Mutation, timestamp: CommitTimestamp): KeyChange {
  if (mutation.kind === "delete") return { kind: "delete", timestamp, chunks: [] };
  if (mutation.chunks.length === 0)
    throw new TypeError(`Cannot ${mutation.kind} without a chunk: ${mutation.key}`);
  if (mutation.kind === "put" || earlier === undefined)
    return { kind: mutation.kind, timestamp, chunks: mutation.chunks };
  if (earlier.kind === "delete") throw new TypeError(`Cannot append to a deleted key: ${mutation.key}`);
  return { kind: earlier.kind, timestamp, chunks: [...earlier.chunks, ...mutation.chunks] };
}
