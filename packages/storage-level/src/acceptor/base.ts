/**
 * What the beginning of a stream comes to once it is deleted: the last of each of its records that say something about the whole, and no
 * entries. Read before the rest of the stream, `recover` of the paxos package makes of both what it made of the whole (AL-4).
 */
import type { DurableRecord, Slot } from "@khonsu/paxos";

type RecordOf<K extends DurableRecord["kind"]> = Extract<DurableRecord, { readonly kind: K }>;

/** A record without entries; `learned` is left as `decided`. */
export type Scalar = Exclude<DurableRecord, { readonly entries: unknown }>;

export interface Base {
  readonly identity?: RecordOf<"identity">;
  readonly promised?: RecordOf<"promised">;
  readonly checkpoint?: RecordOf<"checkpoint">;
  readonly trimmed?: RecordOf<"trimmed">;
  readonly decided?: RecordOf<"decided">;
  readonly chunk?: RecordOf<"chunk">;
}

/** What `records` say besides entries. */
export function scalarsOf(records: readonly DurableRecord[]): Scalar[] {
  const scalars: Scalar[] = [];
  for (const record of records) {
    if (record.kind === "accepted") continue;
    if (record.kind !== "learned") scalars.push(record);
    else scalars.push({ kind: "decided", slot: lastSlot(record), chain: 0 });
  }
  return scalars;
}

/** The highest slot that `records` have an entry for; 0 if there is none. */
export function highestSlot(records: readonly DurableRecord[]): number {
  return records.reduce(
    (highest, record) => ("entries" in record ? Math.max(highest, lastSlot(record)) : highest),
    0,
  );
}

/** `base` with `record` after it. */
export function fold(base: Base, record: Scalar): Base {
  switch (record.kind) {
    case "checkpoint": {
      const { chunk, ...rest } = base;
      const kept = chunk !== undefined && chunk.checkpoint.slot > record.checkpoint.slot ? { chunk } : {};
      return decide(
        { ...rest, ...kept, checkpoint: record },
        record.checkpoint.slot,
        record.checkpoint.chain,
      );
    }
    case "decided":
      return decide(base, record.slot, record.chain);
    default:
      return { ...base, [record.kind]: record };
  }
}

/** The base as records, in an order that `recover` reads as it was written. */
export function recordsOf(base: Base): Scalar[] {
  const { identity, promised, checkpoint, trimmed, decided, chunk } = base;
  return [identity, promised, checkpoint, trimmed, decided, chunk].filter((record) => record !== undefined);
}

function decide(base: Base, slot: Slot, chain: number): Base {
  const before = base.decided;
  if (before !== undefined && slot < before.slot) return base;
  const isKnown = chain !== 0 || before === undefined || slot > before.slot;
  return { ...base, decided: { kind: "decided", slot, chain: isKnown ? chain : before.chain } };
}

function lastSlot(record: Extract<DurableRecord, { readonly entries: unknown }>): Slot {
  return (record.first + record.entries.length - 1) as Slot;
}
