/** The obvious storage: what the contents are after some commits. The suite compares every storage with it. */
import assert from "node:assert/strict";
import type { CommitRecord, Storage } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import { describeSchema, rowsOf } from "./rows.ts";

interface ModelValue {
  readonly timestamp: number;
  readonly chunks: readonly RecordBatch[];
}

/** The value of each key after `commits`. */
export function modelOf(commits: readonly CommitRecord[]): Map<string, ModelValue> {
  const model = new Map<string, ModelValue>();
  for (const { timestamp, mutations } of commits) {
    for (const mutation of mutations) {
      if (mutation.kind === "delete") model.delete(mutation.key);
      else {
        const before = mutation.kind === "append" ? model.get(mutation.key)!.chunks : [];
        model.set(mutation.key, { timestamp, chunks: [...before, ...mutation.chunks] });
      }
    }
  }
  return model;
}

/** What a storage gives back at open. */
export interface Loaded {
  readonly timestamp: number;
  readonly values: Map<string, ModelValue>;
}

/** Loads `storage`, and checks that no key comes twice and none without a chunk. */
export async function loadAll(storage: Storage): Promise<Loaded> {
  assert(storage.load !== undefined, "the storage has no load; say so in `supports`");
  const values = new Map<string, ModelValue>();
  const timestamp = await storage.load(({ key, timestamp, chunks }) => {
    assert(!values.has(key), `key ${JSON.stringify(key)} was visited twice`);
    assert(chunks.length > 0, `key ${JSON.stringify(key)} was visited without a chunk`);
    values.set(key, { timestamp, chunks });
  });
  return { timestamp, values };
}

/** Checks that what was loaded is exactly what `commits` leave. */
export function assertContents(loaded: Loaded, commits: readonly CommitRecord[]): void {
  const expected = modelOf(commits);
  assert.equal(loaded.timestamp, commits.at(-1)?.timestamp ?? 0, "the timestamp of the last commit");
  assert.deepEqual([...loaded.values.keys()].sort(), [...expected.keys()].sort(), "the keys");
  for (const [key, value] of expected) {
    const found = loaded.values.get(key)!;
    const name = key.length > 50 ? `${key.slice(0, 50)}...` : key;
    assert.equal(found.timestamp, value.timestamp, `the timestamp of ${name}`);
    for (const chunk of found.chunks) {
      assert.equal(
        describeSchema(chunk.schema),
        describeSchema(value.chunks[0]!.schema),
        `the schema of ${name}`,
      );
    }
    assert.deepEqual(rowsOf(found.chunks), rowsOf(value.chunks), `the rows of ${name}`);
  }
}

/** Finds how many of `commits` are there: exactly a prefix of them, or it throws. */
export function prefixLength(loaded: Loaded, commits: readonly CommitRecord[]): number {
  const length = commits.filter((commit) => commit.timestamp <= loaded.timestamp).length;
  assertContents(loaded, commits.slice(0, length));
  return length;
}
