/** The directory as the application of a replicated log. */
import type { LogApplication } from "../consensus.ts";
import { applyCommand } from "./apply.ts";
import { decodeDirectoryCommand, decodeState, encodeState } from "./codec.ts";
import type { DirectoryOutcome } from "./command.ts";
import type { DirectoryState } from "./state.ts";

export class DirectoryLog implements LogApplication {
  readonly #onState: (state: DirectoryState) => void;
  #state: DirectoryState | undefined = undefined;

  /** @param onState is told the state after each change of it. */
  constructor(onState: (state: DirectoryState) => void) {
    this.#onState = onState;
  }

  /** Undefined before the first entry. */
  get state(): DirectoryState | undefined {
    return this.#state;
  }

  apply(_index: number, command: Uint8Array): DirectoryOutcome {
    const { state, outcome } = applyCommand(this.#state, decodeDirectoryCommand(command));
    this.#become(state);
    return outcome;
  }

  save(): Iterable<Uint8Array> {
    return this.#state === undefined ? [] : [encodeState(this.#state)];
  }

  restore(image: Uint8Array): void {
    this.#become(image.length === 0 ? undefined : decodeState(image));
  }

  #become(state: DirectoryState | undefined): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state !== undefined) this.#onState(state);
  }
}
