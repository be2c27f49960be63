/** What a command makes of a state of the directory, or why it is refused. */
import type { DirectoryRefusalCode } from "./command.ts";
import type { DirectoryState } from "./state.ts";

export type Change = DirectoryState | Refused;

export class Refused {
  readonly code: DirectoryRefusalCode;
  readonly message: string;

  constructor(code: DirectoryRefusalCode, message: string) {
    this.code = code;
    this.message = message;
  }
}
