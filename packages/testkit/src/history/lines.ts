// Text in chunks, cut into lines with their numbers, without holding the whole text.

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/** The lines of a text that arrives in chunks, one array of lines per chunk. A last line may lack its newline. */
export async function* linesOf(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Line[]> {
  let number = 0;
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield parts.map((text) => ({ text, number: ++number }));
  }
  if (rest !== "") yield [{ text: rest, number: number + 1 }];
}
