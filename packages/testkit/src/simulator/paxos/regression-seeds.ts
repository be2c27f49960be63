// Seeds that `pnpm test` runs: those that once failed, with what was wrong, and one of each profile. A seed means the same run only as
// long as what draws plans stays as it is; what stays true is that each of them found something, or reaches far.

export interface RegressionSeed {
  readonly seed: string;
  readonly found: string;
}

export const REGRESSION_SEEDS: readonly RegressionSeed[] = [];
