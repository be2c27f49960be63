/** Random histories of commits over few keys, as properties want them: every kind of mutation, several in a commit. */
import type { CommitRecord, Mutation } from "@khonsu/core";
import fc from "fast-check";
import { append, commit, put, remove } from "./commits.ts";
import { labelled, numbered } from "./sample-batches.ts";

const KEYS = ["a", "a\u0000", "b", "ba", "\u{1f319}"];

interface Step {
  readonly key: string;
  readonly kind: Mutation["kind"];
  readonly rows: number;
  readonly text: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  key: fc.constantFrom(...KEYS),
  kind: fc.constantFrom<Mutation["kind"]>("put", "append", "append", "delete"),
  rows: fc.integer({ min: 0, max: 5 }),
  text: fc.boolean(),
});

/** Groups of commits in commit order, each a call of `write`. Timestamps have gaps. */
export function groups(max: {
  readonly groups: number;
  readonly commits: number;
}): fc.Arbitrary<CommitRecord[][]> {
  const steps = fc.array(step, { maxLength: 4 });
  const shape = fc.array(fc.array(steps, { minLength: 1, maxLength: max.commits }), {
    maxLength: max.groups,
  });
  return shape.map((drawn) => {
    const schemas = new Map<string, boolean>();
    let timestamp = 0;
    return drawn.map((group) =>
      group.map((chosen) => {
        timestamp += 1 + (chosen.length % 3);
        return commit(timestamp, ...mutations(chosen, timestamp, schemas));
      }),
    );
  });
}

/** One mutation a key; an append only where the key is, in the schema that it has. */
function mutations(steps: readonly Step[], timestamp: number, schemas: Map<string, boolean>): Mutation[] {
  const distinct = new Map(steps.map((chosen) => [chosen.key, chosen]));
  return [...distinct.values()].map(({ key, kind, rows, text }) => {
    if (kind === "delete") {
      schemas.delete(key);
      return remove(key);
    }
    const present = schemas.get(key);
    const isAppend = kind === "append" && present !== undefined;
    const isText = isAppend ? present : text;
    schemas.set(key, isText);
    const chunk = isText
      ? labelled(...Array.from({ length: rows }, (_, row) => `${timestamp}.${row}`))
      : numbered(timestamp, rows);
    return isAppend ? append(key, chunk) : put(key, chunk);
  });
}
