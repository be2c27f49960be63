/** A shard as the application of a replicated log: commands come in as bytes, and whoever waits is told when something changed. */
import type { Runtime } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { decodeCheckpoint, encodeCheckpoint } from "./codec/checkpoint-codec.ts";
import { decodeCommand } from "./codec/command-codec.ts";
import type { LogApplication } from "./consensus.ts";
import { type Applied, ShardStateMachine } from "./shard/state-machine.ts";

/** A piece of an image is encoded in one turn of the event loop, a millisecond or two. */
const FRAME_BYTES = 64 * 1024;

export class ShardLog implements LogApplication {
  readonly shard: number;
  readonly #onTimestamp: (timestamp: CommitTimestamp) => void;
  readonly #listeners = new Set<() => void>();
  #onAwaited: () => void = () => {};
  #machine: ShardStateMachine;

  /** @param onTimestamp is told the shard's clock after each command: logged timestamps may be merged. */
  constructor(shard: number, onTimestamp: (timestamp: CommitTimestamp) => void) {
    this.shard = shard;
    this.#onTimestamp = onTimestamp;
    this.#machine = new ShardStateMachine(shard);
  }

  /** The applied state. Another object after a `restore`. */
  get machine(): ShardStateMachine {
    return this.#machine;
  }

  apply(_index: number, command: Uint8Array): Applied {
    const applied = this.#machine.apply(decodeCommand(command));
    this.#changed();
    return applied;
  }

  /** The checkpoint is of now; its frames are encoded as they are taken. */
  save(): Iterable<Uint8Array> {
    return encodeCheckpoint(this.#machine.checkpoint(), FRAME_BYTES);
  }

  restore(image: Uint8Array): void {
    this.#machine = new ShardStateMachine(this.shard, decodeCheckpoint([image]));
    this.#changed();
  }

  /** Whether somebody waits for a change. */
  get isAwaited(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls `run` each time that somebody begins to wait for a change: for the one who can bring it about. */
  whenAwaited(run: () => void): void {
    this.#onAwaited = run;
  }

  /** Calls `listener` after each change of the state; the function returned takes it back. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#onAwaited();
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once `holds` after some change of the state, or when `milliseconds` are up. */
  async until(holds: () => boolean, runtime: Runtime, milliseconds: number): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        forget();
        cancel();
        resolve();
      };
      const cancel = runtime.schedule(milliseconds, end);
      const forget = this.listen(() => {
        if (holds()) end();
      });
    });
  }

  #changed(): void {
    this.#onTimestamp(this.#machine.clock);
    for (const listener of this.#listeners) listener();
  }
}
