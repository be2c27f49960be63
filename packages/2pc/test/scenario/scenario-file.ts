/**
 * Scenario files: blocks of a comment that tells the story, a directive, `----`, and the trace of what followed. A blank line
 * ends a block.
 */

export interface Block {
  /** The comment above the directive, as it stands. */
  readonly comment: string;
  readonly directive: string;
  readonly expected: string;
}

export function parseScenario(text: string): readonly Block[] {
  return text
    .trim()
    .split(/\n\n+/)
    .map((block) => {
      const lines = block.split("\n");
      const start = lines.findIndex((line) => !line.startsWith("#"));
      if (start < 0 || lines[start + 1] !== "----") throw new Error(`No directive and ---- in:\n${block}`);
      return {
        comment: lines.slice(0, start).join("\n"),
        directive: lines[start]!,
        expected: lines.slice(start + 2).join("\n"),
      };
    });
}

export function formatScenario(blocks: readonly Block[]): string {
  const text = blocks.map(({ comment, directive, expected }) =>
    [comment, directive, "----", expected].filter((part) => part !== "").join("\n"),
  );
  return `${text.join("\n\n")}\n`;
}

/** A directive: a verb, words, and `name=value` pairs. */
export function parseDirective(directive: string) {
  const [verb = "", ...rest] = directive.split(" ");
  const named = new Map(
    rest.filter((word) => word.includes("=")).map((word) => word.split("=") as [string, string]),
  );
  return { verb, words: rest.filter((word) => !word.includes("=")), named };
}
