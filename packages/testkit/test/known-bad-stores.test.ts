// Known-bad stores must be found out within a stated number of transactions, and the good one never blamed.
import { describe, expect, it } from "vitest";
import { checkTransactions } from "../src/checkers/index.ts";
import type { AnomalyKind } from "../src/checkers/transactions/anomaly.ts";
import type { Model } from "../src/checkers/transactions/models.ts";
import type { Operation } from "../src/history/operation.ts";
import { recordHistory, Workload, type WorkloadOptions } from "../src/workloads/index.ts";
import { type Faults, ToyStore } from "./stores/toy-store.ts";

const SEEDS = ["1", "2", "3", "4", "5"];

function record(
  seed: string,
  faults: Faults,
  transactions: number,
  options: Partial<WorkloadOptions> = {},
): Promise<Operation[]> {
  const workload = new Workload({ seed, keys: 5, length: { min: 1, max: 4 }, ...options });
  return recordHistory(new ToyStore(seed, faults), workload, { transactions, processes: 8 });
}

const withScans = { keys: 3, writesPerKey: 3, mix: { reads: 1, writes: 3, scans: 1 } };

const bad: {
  store: string;
  faults: Faults;
  sold: Model;
  within: number;
  kinds: AnomalyKind[];
  workload?: Partial<WorkloadOptions>;
}[] = [
  {
    store: "snapshot isolation sold as serializable",
    faults: { isSnapshotOnly: true },
    sold: "serializable",
    within: 300,
    kinds: ["G2-item"],
  },
  {
    store: "acknowledged commits lost, one in 50",
    faults: { lostCommitEvery: 50 },
    sold: "strict-serializable",
    within: 500,
    kinds: ["G-single-realtime", "G-single-process", "G-single", "G2-item", "G2-item-realtime"],
  },
  {
    store: "dirty reads",
    faults: { isDirty: true },
    sold: "read-committed",
    within: 100,
    kinds: ["G1a", "G1b", "G1c", "incompatible-order"],
  },
  {
    store: "stale reads",
    faults: { staleness: 3 },
    sold: "strict-serializable",
    within: 100,
    kinds: ["G-single-realtime", "G-single-process", "G2-item-realtime"],
  },
  {
    store: "no certification",
    faults: { isUncertified: true },
    sold: "cursor-stability",
    within: 100,
    kinds: ["lost-update", "incompatible-order"],
  },
  {
    store: "read committed sold as snapshot isolation",
    faults: { isReadCommitted: true },
    sold: "snapshot-isolation",
    within: 200,
    kinds: ["G-single", "non-repeatable-read"],
  },
  {
    store: "own writes not seen",
    faults: { isBlindToItself: true },
    sold: "read-uncommitted",
    within: 100,
    kinds: ["internal"],
  },
  {
    store: "phantoms",
    faults: { hasPhantoms: true },
    sold: "serializable",
    within: 400,
    kinds: ["G2"],
    workload: withScans,
  },
];

describe("known-bad stores", () => {
  for (const { store, faults, sold, within, kinds, workload } of bad) {
    it(`finds ${store}, sold as ${sold}, within ${within} transactions`, async () => {
      for (const seed of SEEDS) {
        const result = checkTransactions(await record(seed, faults, within, workload), { model: sold });
        expect(result.valid, `seed ${seed}`).toBe(false);
        const found = result.anomalies
          .filter((anomaly) => anomaly.isProscribed)
          .map((anomaly) => anomaly.kind);
        expect(
          found.some((kind) => kinds.includes(kind)),
          `seed ${seed} found ${found}`,
        ).toBe(true);
      }
    });
  }

  it("keeps to what each store does promise", async () => {
    const promises: [Faults, Model][] = [
      [{ isSnapshotOnly: true }, "strong-snapshot-isolation"],
      [{ staleness: 3 }, "serializable"],
      [{ isReadCommitted: true }, "read-committed"],
    ];
    for (const seed of SEEDS) {
      for (const [faults, model] of promises) {
        const result = checkTransactions(await record(seed, faults, 500), { model });
        expect(result.anomalies.filter((anomaly) => anomaly.isProscribed).map((a) => a.explanation)).toEqual(
          [],
        );
      }
    }
  });

  it("finds nothing in the store without faults, scans included", async () => {
    for (const seed of SEEDS) {
      for (const options of [{}, { keys: 3, mix: { reads: 2, writes: 2, scans: 1, absentReads: 1 } }]) {
        const result = checkTransactions(await record(seed, {}, 1000, options));
        expect(result.anomalies.map((anomaly) => anomaly.explanation)).toEqual([]);
      }
    }
  });
});
