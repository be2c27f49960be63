/** What a command says on standard error when it cannot go on. */
import { isKhonsuError } from "@khonsu/core";

/** Something the user asked for that cannot be done; its message says what and why. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** The message with its causes where it is meant for people, the stack of anything else. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof CommandError) && !isKhonsuError(error)) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const lines = [isKhonsuError(error) ? `${error.code}: ${error.message}` : error.message];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) lines.push(`  ${cause.message}`);
  return lines.join("\n");
}
