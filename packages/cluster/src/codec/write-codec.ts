/** What a transaction writes as bytes (`Write` of proto/khonsu/shard/v1/transaction.proto). */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type {
  Baseline,
  MergeBy,
  MergeStep,
  NamedResolution,
  Operation,
  Write,
} from "../shard/transaction.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import {
  malformed,
  once,
  only,
  readEmpty,
  readKey,
  readTimestamp,
  required,
  unsupported,
  writeEmpty,
  writeKey,
  writeText,
} from "./wire.ts";

/** By the number of the enumeration's value. */
const RESOLUTIONS: readonly (NamedResolution | undefined)[] = [
  undefined,
  "fail",
  "ignore",
  "replace",
  "append",
];

const DELETE: Operation = { kind: "delete" };
const ENSURE: Operation = { kind: "ensure" };

export function writeWrite(writer: WireWriter, field: number, write: Write): void {
  const { key, operation, onConflict, baseline, mergeBy, isConditional } = write;
  const start = writer.begin(field);
  writeKey(writer, 1, key);
  writeOperation(writer, operation);
  writer.uint(6, RESOLUTIONS.indexOf(onConflict));
  if (typeof baseline === "number") writer.presentUint(7, baseline);
  if (mergeBy !== undefined) writeMergeBy(writer, 8, mergeBy);
  writer.bool(9, isConditional);
  writer.bool(10, baseline === "snapshot");
  writer.end(start);
}

export function readWrite(reader: WireReader): Write {
  let [seen, resolution] = [0, 0];
  let key: string | undefined;
  let operation: Operation | undefined;
  let baseline: CommitTimestamp | undefined;
  let mergeBy: MergeBy | undefined;
  let [isConditional, isSinceSnapshot] = [false, false];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a write");
    if (field === 1) key = readKey(reader);
    else if (field >= 2 && field <= 5) operation = only(operation, readOperation(reader, field), "a write");
    else if (field === 6) resolution = reader.uint();
    else if (field === 7) baseline = readTimestamp(reader);
    else if (field === 8) mergeBy = reader.nested(readMergeBy);
    else if (field === 9) isConditional = reader.bool();
    else if (field === 10) isSinceSnapshot = reader.bool();
    else throw unsupported("a write", field);
  }
  const write: Write = {
    key: required(key, "a key"),
    operation: required(operation, "the operation of a write"),
    onConflict: RESOLUTIONS[resolution] ?? noResolution(resolution),
    baseline: isSinceSnapshot ? atSnapshot(baseline) : baseline,
    mergeBy,
    isConditional,
  };
  if (isConditional && typeof write.baseline !== "number") {
    throw malformed(`a conditional write of ${write.key} has no version`);
  }
  return write;
}

function atSnapshot(baseline: CommitTimestamp | undefined): Baseline {
  if (baseline !== undefined) throw malformed("a write has two baselines");
  return "snapshot";
}

function noResolution(value: number): never {
  throw malformed(`a resolution is ${value}`);
}

function writeOperation(writer: WireWriter, operation: Operation): void {
  switch (operation.kind) {
    case "put":
      writer.presentBytes(2, operation.value);
      return;
    case "delete":
      writeEmpty(writer, 3);
      return;
    case "merge": {
      const start = writer.begin(4);
      for (const step of operation.steps) writeStep(writer, 1, step);
      writer.end(start);
      return;
    }
    case "ensure":
      writeEmpty(writer, 5);
      return;
  }
}

/** @param field 2 to 5 */
function readOperation(reader: WireReader, field: number): Operation {
  if (field === 2) return { kind: "put", value: reader.bytes() };
  if (field === 4) return reader.nested(readMerge);
  reader.nested(readEmpty);
  return field === 3 ? DELETE : ENSURE;
}

function readMerge(reader: WireReader): Operation {
  const steps: MergeStep[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) throw unsupported("a merge", field);
    steps.push(reader.nested(readStep));
  }
  if (steps.length === 0) throw malformed("a merge has no steps");
  return { kind: "merge", steps };
}

function writeStep(writer: WireWriter, field: number, { rows, keyColumn }: MergeStep): void {
  const start = writer.begin(field);
  writer.bytes(1, rows);
  if (keyColumn !== undefined) writeText(writer, 2, keyColumn);
  writer.end(start);
}

function readStep(reader: WireReader): MergeStep {
  let seen = 0;
  let rows: Uint8Array = new Uint8Array();
  let keyColumn: string | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a step of a merge");
    if (field === 1) rows = reader.bytes();
    else if (field === 2) keyColumn = reader.string();
    else throw unsupported("a step of a merge", field);
  }
  return { rows, keyColumn };
}

function writeMergeBy(writer: WireWriter, field: number, { keyColumn, isRequired }: MergeBy): void {
  const start = writer.begin(field);
  writeKey(writer, 1, keyColumn);
  writer.bool(2, isRequired);
  writer.end(start);
}

function readMergeBy(reader: WireReader): MergeBy {
  let seen = 0;
  let keyColumn = "";
  let isRequired = false;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a key column");
    if (field === 1) keyColumn = reader.string();
    else if (field === 2) isRequired = reader.bool();
    else throw unsupported("a key column", field);
  }
  return { keyColumn, isRequired };
}
