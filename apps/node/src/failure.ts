/** What a command says on standard error when it cannot go on. */

/** Something the user asked for that cannot be done; its message says what and why. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  /** Stable, where programs may want to tell this error from others. */
  readonly code: string | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly code?: string }) {
    super(message, options);
    this.code = options?.code;
  }
}

/** The message with its causes where it is meant for people, the stack of anything else. A cause that was told already is left out. */
export function describeFailure(error: unknown): string {
  const code = codeOf(error);
  if (!(error instanceof Error)) return String(error);
  if (code === undefined && !(error instanceof CommandError)) return error.stack ?? error.message;
  const lines = [code === undefined ? error.message : `${code}: ${error.message}`];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    const { message } = cause;
    if (!lines.some((line) => line.includes(message))) lines.push(`  ${message}`);
  }
  return lines.join("\n");
}

/** The code of an error of Khonsu, of whichever package. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code.startsWith("KHONSU_") ? error.code : undefined;
}
