/**
 * One number for the state of a shard: equal on every replica that has applied the same entries, whatever it has purged,
 * and however it came to its state (hard case 29). Covers all that a checkpoint holds, values by the hash of their bytes.
 *
 * It tells accidents and faults apart from equal states, with 32 bits; it is no proof against somebody who wants a collision.
 */
import { formatTransactionId } from "@khonsu/2pc";
import { xxHash32 } from "@khonsu/core/values";
import { encodeOutcomeEntry } from "../codec/checkpoint-codec.ts";
import type { ShardStateMachine } from "./state-machine.ts";

/** The hash, as an unsigned number of 32 bits. It takes time in proportion to keys and outcomes, not to the bytes of values. */
export function stateHash(shard: ShardStateMachine): number {
  const { clock, gcFloor, table, resolved, entries } = shard.checkpoint();
  const digest = new Digest();
  digest.numbers(shard.shard, clock, gcFloor, table.floor);
  const conflicts = new Map(resolved.map(({ id, keys }) => [formatTransactionId(id), keys]));
  for (const entry of table.entries) {
    digest.bytes(encodeOutcomeEntry(entry, conflicts.get(formatTransactionId(entry.id)) ?? []));
  }
  for (const { key, timestamp, value } of entries) {
    digest.text(key);
    digest.numbers(timestamp, value === undefined ? -1 : value.hash);
  }
  return digest.value;
}

class Digest {
  value = 0;
  readonly #encoder = new TextEncoder();
  readonly #scratch = new DataView(new ArrayBuffer(8));

  bytes(bytes: Uint8Array): void {
    this.numbers(bytes.length);
    this.value = xxHash32(bytes, this.value);
  }

  text(text: string): void {
    this.bytes(this.#encoder.encode(text));
  }

  numbers(...numbers: readonly number[]): void {
    for (const number of numbers) {
      this.#scratch.setFloat64(0, number, true);
      this.value = xxHash32(new Uint8Array(this.#scratch.buffer), this.value);
    }
  }
}
