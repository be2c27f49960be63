/** What the calls of `KhonsuService` say, as what a session does: operations, expectations, selections, rows. */
import { create } from "@bufbuild/protobuf";
import { type ClusterChange, ClusterError, type ClusterTransaction } from "@khonsu/cluster";
import type { KeySelection, WriteOptions } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { decodeForeign, encodeBatches } from "@khonsu/core/values";
import * as pb from "../../gen/khonsu/client/v1/khonsu_pb.ts";

export const ISOLATION = {
  [pb.Isolation.UNSPECIFIED]: "serializable",
  [pb.Isolation.READ_COMMITTED]: "read-committed",
  [pb.Isolation.REPEATABLE_READ]: "repeatable-read",
  [pb.Isolation.SERIALIZABLE]: "serializable",
} as const;

export const ON_CONFLICT = {
  [pb.OnConflict.UNSPECIFIED]: "fail",
  [pb.OnConflict.FAIL]: "fail",
  [pb.OnConflict.IGNORE]: "ignore",
  [pb.OnConflict.REPLACE]: "replace",
  [pb.OnConflict.APPEND]: "append",
} as const;

/** Resolves with what was read, if anything was. */
export type Step = (tx: ClusterTransaction) => Promise<pb.GetResponse | undefined>;

/** What an operation does; rows are decoded here, before anything is begun. */
export function toStep(operation: pb.Operation["operation"]): Step {
  switch (operation.case) {
    case "get": {
      const { key } = operation.value;
      return (tx) => readKey(tx, key);
    }
    case "put": {
      const { key, rows, expect } = operation.value;
      const batch = decodeForeign(rows);
      return silently((tx) => tx.write(key, batch, expectationOf(expect)));
    }
    case "delete": {
      const { key, expect } = operation.value;
      return silently((tx) => tx.delete(key, expectationOf(expect)));
    }
    case "append":
    case "upsert": {
      const { key, rows } = operation.value;
      const batch = decodeForeign(rows);
      return silently((tx) => (operation.case === "append" ? tx.append(key, batch) : tx.upsert(key, batch)));
    }
    case "expect": {
      const { key, expect } = operation.value;
      const expected = expectationOf(expect);
      if (expected === undefined) throw malformed(`nothing is expected of ${JSON.stringify(key)}`);
      return silently((tx) => assertAsExpected(tx, key, expected));
    }
    case undefined:
      throw malformed("an operation is empty");
  }
}

function silently(step: (tx: ClusterTransaction) => void | Promise<void>): Step {
  return async (tx) => {
    await step(tx);
    return undefined;
  };
}

export async function readKey(tx: ClusterTransaction, key: string): Promise<pb.GetResponse> {
  const batch = await tx.read(key);
  const response = create(pb.GetResponseSchema, { version: BigInt((await tx.version(key)) ?? 0) });
  if (batch !== undefined) response.rows = encodeBatches([batch]);
  return response;
}

async function assertAsExpected(
  tx: ClusterTransaction,
  key: string,
  { ifVersion }: WriteOptions,
): Promise<void> {
  const version = await tx.version(key);
  if (version === ifVersion) return;
  const name = JSON.stringify(key);
  const message = `Cannot commit: ${name} is ${version === undefined ? "absent" : `of ${version}`}`;
  throw new ClusterError("KHONSU_VERSION_MISMATCH", message, { conflicts: [{ kind: "version", key }] });
}

export function expectationOf(expect: pb.Expectation | undefined): WriteOptions | undefined {
  switch (expect?.state.case) {
    case "version":
      return { ifVersion: toTimestamp(expect.state.value) };
    case "absent":
      if (!expect.state.value) throw malformed('"absent" can only be true');
      return { ifAbsent: true };
    case undefined:
      return undefined;
  }
}

export function selectionOf(selection: pb.Selection | undefined): KeySelection {
  const { key, prefix, from, to } = selection ?? {};
  // What contradicts itself is found, and told, by whoever takes it.
  return { key, prefix, from, to } as KeySelection;
}

export function fromChange({ key, batch }: ClusterChange): pb.Change {
  const change = create(pb.ChangeSchema, { key });
  if (batch !== undefined) change.rows = encodeBatches([batch]);
  return change;
}

export function toTimestamp(value: bigint): CommitTimestamp {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`a timestamp is too large: ${value}`);
  return Number(value) as CommitTimestamp;
}

export function mapped<A, B>(values: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}

export function nameOf<N>(names: Readonly<Record<number, N>>, value: number, what: string): N {
  const name = names[value];
  if (name === undefined) throw malformed(`${what} is ${value}`);
  return name;
}

export function malformed(why: string): ClusterError {
  return new ClusterError("KHONSU_REQUEST_MALFORMED", `Cannot serve the request: ${why}`);
}
