/** A shard as the application of a replicated log: commands come in as bytes, and whoever waits is told when something changed. */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { LogApplication } from "./consensus.ts";
import type { Command } from "./shard/command.ts";
import { type Applied, type ShardCheckpoint, ShardStateMachine } from "./shard/state-machine.ts";

/** Commands and checkpoints as bytes. Decoding checks, and throws on anything that encoding does not give. */
export interface ShardCodec {
  encodeCommand(command: Command): Uint8Array;
  decodeCommand(bytes: Uint8Array): Command;
  encodeCheckpoint(checkpoint: ShardCheckpoint): Uint8Array;
  decodeCheckpoint(bytes: Uint8Array): ShardCheckpoint;
}

export class ShardLog implements LogApplication {
  readonly shard: number;
  readonly #codec: ShardCodec;
  readonly #onTimestamp: (timestamp: CommitTimestamp) => void;
  readonly #listeners = new Set<() => void>();
  #machine: ShardStateMachine;

  /** @param onTimestamp is told the shard's clock after each command: logged timestamps may be merged. */
  constructor(shard: number, codec: ShardCodec, onTimestamp: (timestamp: CommitTimestamp) => void) {
    this.shard = shard;
    this.#codec = codec;
    this.#onTimestamp = onTimestamp;
    this.#machine = new ShardStateMachine(shard);
  }

  /** The applied state. Another object after a `restore`. */
  get machine(): ShardStateMachine {
    return this.#machine;
  }

  encode(command: Command): Uint8Array {
    return this.#codec.encodeCommand(command);
  }

  apply(_index: number, command: Uint8Array): Applied {
    const applied = this.#machine.apply(this.#codec.decodeCommand(command));
    this.#changed();
    return applied;
  }

  save(): Uint8Array {
    return this.#codec.encodeCheckpoint(this.#machine.checkpoint());
  }

  restore(image: Uint8Array): void {
    this.#machine = new ShardStateMachine(this.shard, this.#codec.decodeCheckpoint(image));
    this.#changed();
  }

  /** Calls `listener` after each change of the state; the function returned takes it back. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    this.#onTimestamp(this.#machine.clock);
    for (const listener of this.#listeners) listener();
  }
}
