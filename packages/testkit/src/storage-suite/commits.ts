/** Short forms for the commits that the suites write. */
import type { CommitRecord, CommitTimestamp, Mutation } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";

/** The commit at `timestamp`. */
export function commit(timestamp: number, ...mutations: Mutation[]): CommitRecord {
  return { timestamp: timestamp as CommitTimestamp, mutations };
}

export function put(key: string, ...chunks: RecordBatch[]): Mutation {
  return { kind: "put", key, chunks };
}

export function append(key: string, ...chunks: RecordBatch[]): Mutation {
  return { kind: "append", key, chunks };
}

export function remove(key: string): Mutation {
  return { kind: "delete", key };
}
