/**
 * What a transaction of the cluster will write: one intent a key, intents being replaced rather than changed, so that a
 * savepoint is a position in the list of what was replaced.
 */
import type { BatchInput, ConflictResolution } from "@khonsu/core";
import type { ConflictPolicy, UndoableWrites } from "@khonsu/core/transactions";
import { appendRows, encodeBatches, type StoredValue, toBatch, toRecordBatch } from "@khonsu/core/values";
import type { MergeBy, NamedResolution, Operation, VersionIdentity } from "./shard/transaction.ts";

/** Rows added, or merged in by a key column, to a base that is not known. */
interface MergeRows {
  readonly rows: StoredValue;
  readonly keyColumn: string | undefined;
}

export type Intent =
  | { readonly kind: "put"; readonly value: StoredValue }
  | { readonly kind: "delete" }
  | { readonly kind: "merge"; readonly steps: readonly MergeRows[] }
  | { readonly kind: "ensure" };

export interface WriteIntent {
  readonly key: string;
  readonly intent: Intent;
  readonly policy: ConflictPolicy;
  /** Compare-and-set: the version that was found as expected. */
  readonly expected: VersionIdentity | undefined;
  isReadBack: boolean;
}

/** The intent with rows added. */
export function withRows(
  former: Intent | undefined,
  rows: BatchInput,
  keyColumn: string | undefined,
  key: string,
): Intent {
  const batch = toRecordBatch(rows);
  if (former?.kind === "put") return { kind: "put", value: appendRows(former.value, batch, keyColumn, key) };
  if (former?.kind === "delete") return { kind: "put", value: appendRows(undefined, batch, keyColumn, key) };
  const steps = former?.kind === "merge" ? former.steps : [];
  const last = steps.at(-1);
  if (last?.keyColumn !== keyColumn || last === undefined) {
    return {
      kind: "merge",
      steps: [...steps, { rows: appendRows(undefined, batch, keyColumn, key), keyColumn }],
    };
  }
  // Those of a kind become one step, so that many small ones cost what their rows cost.
  const rowsOfBoth = appendRows(last.rows, batch, keyColumn, key);
  return { kind: "merge", steps: [...steps.slice(0, -1), { rows: rowsOfBoth, keyColumn }] };
}

/** What the key holds for this transaction, given what is committed. */
export function applyIntent(
  intent: Intent,
  base: StoredValue | undefined,
  key: string,
): StoredValue | undefined {
  switch (intent.kind) {
    case "put":
      return intent.value;
    case "delete":
      return undefined;
    case "ensure":
      return base;
    case "merge":
      return intent.steps.reduce<StoredValue | undefined>(
        (value, { rows, keyColumn }) =>
          value === undefined ? rows : appendRows(value, toBatch(rows), keyColumn, key),
        base,
      );
  }
}

/** The intent as a shard certifies it. */
export function toOperation(intent: Intent): Operation {
  switch (intent.kind) {
    case "put":
      return { kind: "put", value: encode(intent.value) };
    case "merge":
      return {
        kind: "merge",
        steps: intent.steps.map(({ rows, keyColumn }) => ({ rows: encode(rows), keyColumn })),
      };
    default:
      return intent;
  }
}

/** A function runs at the coordinator; to the shard its conflicts are plain ones. */
export function namedResolution(onConflict: ConflictResolution): NamedResolution {
  return typeof onConflict === "function" ? "fail" : onConflict;
}

/** How a shard merges the rows of a put where `append` resolves its conflict. */
export function mergeBy({ keyColumn, isKeyColumnRequired }: ConflictPolicy): MergeBy | undefined {
  return keyColumn === undefined ? undefined : { keyColumn, isRequired: isKeyColumnRequired };
}

function encode(value: StoredValue): Uint8Array {
  return encodeBatches([toBatch(value)]);
}

interface Replaced {
  readonly key: string;
  readonly intent: WriteIntent | undefined;
}

export class WriteBuffer implements UndoableWrites {
  readonly #intents = new Map<string, WriteIntent>();
  /** What was replaced since the first savepoint that is open; only then is it remembered. */
  #replaced: Replaced[] = [];
  #savepoints = 0;

  get size(): number {
    return this.#intents.size;
  }

  get(key: string): WriteIntent | undefined {
    return this.#intents.get(key);
  }

  set(intent: WriteIntent): void {
    const { key } = intent;
    if (this.#savepoints > 0) this.#replaced.push({ key, intent: this.#intents.get(key) });
    this.#intents.set(intent.key, intent);
  }

  /** Drops what was to be written; not to be undone. */
  drop(key: string): void {
    this.#intents.delete(key);
  }

  values(): Iterable<WriteIntent> {
    return this.#intents.values();
  }

  savepoint(): number {
    this.#savepoints++;
    return this.#replaced.length;
  }

  rollbackTo(mark: number): void {
    while (this.#replaced.length > mark) {
      const { key, intent } = this.#replaced.pop()!;
      if (intent === undefined) this.#intents.delete(key);
      else this.#intents.set(key, intent);
    }
  }

  release(): void {
    if (--this.#savepoints === 0) this.#replaced = [];
  }
}
