/**
 * The application of the suite: it keeps all commands in the order in which they came, and checks what a log owes to whatever it is
 * applied to: rising indexes, one call at a time, nothing before a `restore` has put the state in its place.
 */
import assert from "node:assert/strict";
import type { LogApplication } from "@khonsu/cluster";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Image {
  readonly commands: readonly string[];
  readonly last: number;
}

export class RecordingApplication implements LogApplication {
  readonly commands: string[] = [];
  restored = 0;
  saved = 0;
  #last = 0;
  #isBusy = false;
  readonly #onFault: (fault: unknown) => void;

  /** @param onFault is told where the log has broken its promises: it may survive what its application throws, or stop for good. */
  constructor(onFault: (fault: unknown) => void) {
    this.#onFault = onFault;
  }

  /** The index of the command that was applied last. */
  get last(): number {
    return this.#last;
  }

  apply(index: number, command: Uint8Array): string {
    return this.#alone(() => {
      assert.ok(index > this.#last, `Applied at ${index} after ${this.#last}: indexes rise`);
      this.#last = index;
      this.commands.push(nameOf(command));
      return `${this.commands.length}:${nameOf(command)}`;
    });
  }

  save(): Iterable<Uint8Array> {
    return this.#alone(() => {
      this.saved++;
      const image = encoder.encode(
        JSON.stringify({ commands: this.commands, last: this.#last } satisfies Image),
      );
      // In pieces: they are one image once they are joined.
      return [image.subarray(0, 1), image.subarray(1)];
    });
  }

  restore(image: Uint8Array): void {
    this.#alone(() => {
      const { commands, last } = JSON.parse(decoder.decode(image)) as Image;
      assert.ok(last >= this.#last, `Restored to ${last} at ${this.#last}: the state never goes back`);
      this.restored++;
      this.commands.splice(0, this.commands.length, ...commands);
      this.#last = last;
    });
  }

  #alone<R>(run: () => R): R {
    try {
      assert.ok(!this.#isBusy, "Called within another call");
      this.#isBusy = true;
      return run();
    } catch (error) {
      this.#onFault(error);
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }
}

export function command(name: string): Uint8Array {
  return encoder.encode(name);
}

/** Large commands are told apart by their length and their last letters. */
function nameOf(bytes: Uint8Array): string {
  return bytes.length <= 200 ? decoder.decode(bytes) : `${bytes.length}:${decoder.decode(bytes.slice(-20))}`;
}
