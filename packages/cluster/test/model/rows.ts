/** What the transactions of the model write: each writes one Arrow row that names it, so that a value is a list of names. */
import { decodeBatches, encodeBatches, fromChunks, toBatch } from "@khonsu/core/values";
import { tableFromArrays } from "apache-arrow";
import type { ShardValue } from "../../src/shard/shard-value.ts";

const bytesOfName = new Map<number, Uint8Array>();
/** Chunks are recognised by identity where that is possible: decoding takes most of the time otherwise. */
const namesInBytes = new WeakMap<Uint8Array, readonly number[]>();

export function rowsOf(name: number): Uint8Array {
  const known = bytesOfName.get(name);
  if (known !== undefined) return known;
  const bytes = encodeBatches(tableFromArrays({ id: Int32Array.of(name) }).batches);
  bytesOfName.set(name, bytes);
  return bytes;
}

/** The names in a value, in order, as text; "" for an absent key. */
export function namesIn(value: ShardValue | undefined): string {
  return value === undefined ? "" : value.chunks().flatMap(namesInChunk).join(" ");
}

function namesInChunk(bytes: Uint8Array): readonly number[] {
  let names = namesInBytes.get(bytes);
  if (names === undefined) {
    const batch = toBatch(fromChunks(decodeBatches(bytes)));
    names = Array.from(batch.getChildAt(0)!.toArray() as Int32Array);
    namesInBytes.set(bytes, names);
  }
  return names;
}
