// Seeds that `pnpm test` runs: those that once failed, with what was wrong, and one of each profile. A seed means the same run only as
// long as what draws plans stays as it is; what stays true is that each of them found something, or reaches far.

export interface RegressionSeed {
  readonly seed: string;
  readonly found: string;
}

const STORM =
  "the leader queued every repetition of a forwarded proposal, and the storm kept other commands out for ever";

export const REGRESSION_SEEDS: readonly RegressionSeed[] = [
  { seed: "r-323", found: STORM },
  { seed: "lost-writes:r-13", found: STORM },
  { seed: "client-retries:r-28", found: STORM },
  {
    seed: "d29550605ef7-1183",
    found: "a write under way at the heal fenced a node, and nobody restarted it",
  },
  {
    seed: "6e19230c493c-410",
    found: "a read misdirected to a torn record passed for the end of the log, and cut off a durable promise",
  },
  {
    seed: "n1-3235",
    found:
      "a replica offered an image that its stalled disk did not hold yet, and was asked for it without end",
  },
  {
    seed: "returning-leader:t1-186",
    found: "a repetition older than its client's window was answered as if it had been applied",
  },
  {
    seed: "170919fa0b48-122",
    found:
      "of two that led in one round, a paused one and its successor, the harness took the paused one for the leader",
  },
  {
    seed: "223b9db6ccbf-342",
    found:
      "a replica that knew a slot to be decided no longer said so once it had accepted the entry anew, so nobody could resolve another's doubt",
  },
];
