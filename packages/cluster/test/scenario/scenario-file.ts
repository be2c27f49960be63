/** Scenario files: a comment that tells the story, a directive, `----`, and the full trace of what followed. */

export interface Block {
  readonly comments: readonly string[];
  readonly directive: string;
  readonly expected: readonly string[];
}

export function parseScenario(text: string): Block[] {
  const blocks: Block[] = [];
  for (const part of text.trimEnd().split(/\n\n+/)) {
    const lines = part.split("\n");
    const rule = lines.indexOf("----");
    if (rule < 1) throw new Error(`A block has no directive: ${part}`);
    const comments = lines.slice(0, rule - 1);
    blocks.push({ comments, directive: lines[rule - 1]!, expected: lines.slice(rule + 1) });
  }
  return blocks;
}

export function printScenario(blocks: readonly Block[], traces: readonly (readonly string[])[]): string {
  const parts = blocks.map(({ comments, directive }, i) =>
    [...comments, directive, "----", ...traces[i]!].join("\n"),
  );
  return `${parts.join("\n\n")}\n`;
}
