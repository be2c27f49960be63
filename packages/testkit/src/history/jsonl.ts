// Khonsu's own form: a JSON object a line, one per operation, invocation and completion together (HF-1).
import { HistoryError } from "./history-error.ts";
import { linesOf } from "./lines.ts";
import type { Operation } from "./operation.ts";
import { parseOperation } from "./parse-operation.ts";

/** Version of the form that this package writes; the optional first line `{"khonsuHistory":1}` states it. */
export const HISTORY_VERSION = 1;

/**
 * Reads a history of JSON lines, in constant memory beside the operations themselves.
 *
 * @param source what to call the input in errors, such as a file name
 * @throws {HistoryError} at the first line that is not an operation
 */
export async function* readJsonLines(
  chunks: AsyncIterable<string> | Iterable<string>,
  source?: string,
): AsyncGenerator<Operation> {
  for await (const lines of linesOf(chunks)) {
    for (const { text, number } of lines) {
      const value = parseLine(text, number, source);
      if (value === undefined) continue;
      try {
        yield parseOperation(value);
      } catch (error) {
        if (error instanceof HistoryError) throw new HistoryError(error.message, { source, line: number });
        throw error;
      }
    }
  }
}

/** The operations as JSON lines, with the line that states the version first. */
export function* writeJsonLines(operations: Iterable<Operation>): Generator<string> {
  yield `{"khonsuHistory":${HISTORY_VERSION}}\n`;
  for (const { process, invoke, complete, outcome, ops } of operations) {
    yield `${JSON.stringify({ process, invoke, complete, outcome, ops })}\n`;
  }
}

/** The value of a line; nothing for an empty line and for the line that states the version. */
function parseLine(text: string, line: number, source: string | undefined): unknown {
  if (text === "" || text.trim() === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HistoryError(`not JSON: ${(error as Error).message}`, { source, line });
  }
  const version = (value as { khonsuHistory?: unknown } | null)?.khonsuHistory;
  if (version === undefined) return value;
  if (version === HISTORY_VERSION) return undefined;
  throw new HistoryError(`written in version ${version} of the format; this reads ${HISTORY_VERSION}`, {
    source,
    line,
  });
}
