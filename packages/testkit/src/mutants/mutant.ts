// A mutant is a deliberate bug, kept outside the product code as a piece of text to find and what to put in its place. Tests that do
// not notice it would not notice the real bug either (DeMillo, Lipton, Sayward, "Hints on Test Data Selection", 1978).

/** One seeded bug. */
export interface Mutant {
  /** A short stable name, kebab-case. */
  readonly name: string;
  /** What the bug is, as one would say it in a review. */
  readonly description: string;
  /** The file, relative to the root of the repository. */
  readonly file: string;
  /** The text to replace; it must occur exactly once in the file. */
  readonly search: string;
  readonly replace: string;
  /** The simulator profile that this bug calls for, in place of the suite's. */
  readonly profile?: string;
  /** More replacements that belong to the same bug. */
  readonly also?: readonly { readonly file: string; readonly search: string; readonly replace: string }[];
}

/** How a suite of mutants is judged. */
export type MutantTrial =
  /** Runs `pnpm sim <target>` over fixed seeds, one after the other, until one fails. */
  | {
      readonly kind: "simulator";
      readonly target: string;
      readonly seedsMax: number;
      readonly minutesMax: number;
      /** Ask for the plans of a profile for these mutants. */
      readonly profile?: string;
    }
  /** Runs a command in the copy of the repository; a non-zero exit status means caught. */
  | {
      readonly kind: "command";
      readonly command: readonly [string, ...string[]];
      readonly minutesMax: number;
    };

/** The mutants of one part of the product. */
export interface MutantSuite {
  /** The packages (directories under `packages/`) that the trial needs: those with mutants and those that run them. */
  readonly packages: readonly string[];
  readonly trial: MutantTrial;
  readonly mutants: readonly Mutant[];
}

/** `text` with the one occurrence of `search` replaced. Throws if there is none, or more than one. */
export function replaceOnce(text: string, search: string, replace: string, where: string): string {
  const first = text.indexOf(search);
  if (first < 0) throw new Error(`Cannot apply ${where}: the text to replace is not there`);
  if (text.indexOf(search, first + 1) >= 0)
    throw new Error(`Cannot apply ${where}: the text occurs more than once`);
  return text.slice(0, first) + replace + text.slice(first + search.length);
}
