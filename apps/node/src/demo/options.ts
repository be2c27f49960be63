/** What a run of the demo can be told. */

/** So many rows has the data set `flights-200k` of vega-datasets. */
export const FLIGHTS_MAX = 200_000;

export interface DemoOptions {
  /** Where the store is kept. Default: in a temporary directory, removed at the end. */
  readonly directory?: string | undefined;
  readonly workers: number;
  /** How long flights are rescheduled. */
  readonly seconds: number;
  /** How many of the flights are loaded. */
  readonly rows: number;
  readonly seed: number;
  /** A module that exports `open(location: string): Promise<Storage>`. Default: LevelDB. */
  readonly storage?: string | undefined;
  /** Whether nothing is said on the way. */
  readonly isQuiet: boolean;
}
