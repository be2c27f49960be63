// EDN, the notation of Clojure, in which Jepsen and Elle keep histories: one event after the other, or one vector of events.
//
// The library edn-data reads and writes the values. It does not mind missing or wrong brackets, so the text is cut into forms here, where
// brackets are checked and lines are counted.
import { parseEDNString, toEDNString } from "edn-data";
import { HistoryError } from "./history-error.ts";
import type { JepsenEvent, WrittenEvent } from "./jepsen-events.ts";
import { linesOf } from "./lines.ts";

/** A complete form and the line where it begins. */
export interface EdnForm {
  readonly text: string;
  readonly line: number;
}

const CLOSER: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/**
 * Cuts a text into its top-level maps, or those of one vector or list around them.
 * @throws {HistoryError} when brackets do not match or a form is not complete
 */
export async function* ednForms(
  chunks: AsyncIterable<string> | Iterable<string>,
  source?: string,
): AsyncGenerator<EdnForm> {
  const cutter = new FormCutter(source);
  for await (const lines of linesOf(chunks)) {
    for (const line of lines) yield* cutter.line(line.text, line.number);
  }
  cutter.end();
}

class FormCutter {
  private readonly source: string | undefined;
  private readonly open: { closer: string; line: number }[] = [];
  private isContained = false;
  private isString = false;
  private text = "";
  private begin = 0;

  constructor(source: string | undefined) {
    this.source = source;
  }

  *line(text: string, line: number): Generator<EdnForm> {
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!;
      if (this.isString) {
        if (character === "\\") at++;
        else if (character === '"') this.isString = false;
      } else if (character === '"') this.isString = true;
      else if (character === "\\") at++;
      else if (character === ";") {
        this.text += text.slice(start, at);
        start = text.length;
        break;
      } else if (CLOSER[character] !== undefined) {
        const isContainer = character !== "{" && this.open.length === 0 && !this.isContained;
        if (isContainer) this.isContained = true;
        if (this.depth() === 0) {
          this.text = "";
          start = isContainer ? at + 1 : at;
          this.begin = line;
        }
        this.open.push({ closer: CLOSER[character], line });
      } else if (character === ")" || character === "]" || character === "}") {
        this.close(character, line);
        if (this.depth() > 0 || this.open.length < (this.isContained ? 1 : 0)) continue;
        yield { text: this.text + text.slice(start, at + 1), line: this.begin };
        this.text = "";
        start = at + 1;
      }
    }
    if (this.depth() > 0) this.text += `${text.slice(start)}\n`;
  }

  end(): void {
    const last = this.open.at(-1);
    if (last !== undefined)
      throw new HistoryError(`what was opened here is never closed with ${last.closer}`, {
        source: this.source,
        line: last.line,
      });
  }

  /** Brackets open inside the current form. */
  private depth(): number {
    return this.open.length - (this.isContained && this.open.length > 0 ? 1 : 0);
  }

  private close(character: string, line: number): void {
    const opened = this.open.pop();
    if (opened?.closer === character) return;
    const expected = opened === undefined ? "nothing is open" : `${opened.closer} was expected`;
    throw new HistoryError(`unexpected ${character}: ${expected}`, { source: this.source, line });
  }
}

/** The event that a form holds. @throws {HistoryError} without a place when it is not a map */
export function parseEdnEvent(form: string): JepsenEvent {
  const value = parseEDNString(form, {
    mapAs: "map",
    keywordAs: "string",
    setAs: "array",
    listAs: "array",
    symbolAs: "string",
  });
  if (!(value instanceof Map)) throw new HistoryError("an event is a map");
  return {
    process: value.get("process"),
    type: value.get("type"),
    f: value.get("f"),
    value: value.get("value"),
    time: value.get("time"),
  };
}

/** An event as one line of EDN. */
export function writeEdnEvent({ index, time, process, type, f, value }: WrittenEvent): string {
  const keyword = (name: string): { key: string } => ({ key: name });
  const steps =
    f === "txn"
      ? (value as readonly (readonly unknown[])[]).map(([name, ...rest]) => [keyword(String(name)), ...rest])
      : value;
  const entries: [string, unknown][] = [
    ["index", index],
    ["time", time],
    ["process", process],
    ["type", keyword(type)],
    ["f", keyword(f)],
    ["value", steps],
  ];
  const written = entries.map(
    ([name, item]) => `:${name} ${toEDNString(item as Parameters<typeof toEDNString>[0])}`,
  );
  return `{${written.join(", ")}}`;
}
