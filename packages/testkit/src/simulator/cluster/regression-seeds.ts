// Seeds of the cluster that once failed, with what was wrong. A seed means the same run only as long as what draws plans stays as it is; what
// stays true is that each of them found something.

export const REGRESSION_SEEDS: readonly { readonly seed: string; readonly found: string }[] = [
  { seed: "bank:a-1", found: "a founder that was not given the founding joined, and never voted" },
  {
    seed: "rq3-6",
    found:
      "a reader of one shard waited for a decision, and read below it though it was there when the reader began",
  },
  {
    seed: "contended:mutant-40",
    found: "of three nodes one was left down while another had damaged records",
  },
  {
    seed: "ci-30",
    found:
      "a node waited for a deadline by timers too short for its clock to show, and no time went by any more",
  },
  {
    seed: "forgetful:mutant-19",
    found:
      "a validation met something prepared that its home had forgotten, and asked again without end and without a pause",
  },
];
