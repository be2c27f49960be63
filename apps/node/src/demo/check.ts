/** One thing that must hold, and whether it did. The demo succeeds only if all of them held. */
export interface Check {
  readonly name: string;
  readonly held: boolean;
  /** What was found, in words. */
  readonly found: string;
}

export function check(name: string, held: boolean, found: string): Check {
  return { name, held, found };
}
