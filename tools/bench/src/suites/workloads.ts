/**
 * SmallBank, YCSB A to F and TPC-C, on the embedded store and on a cluster of three processes with synced writes: what is committed a
 * second by callers who begin a transaction when their last one has been acknowledged; then, in a run that is recorded, how many
 * attempts a conflict ended, why, and how many of these needlessly. After each run the store is checked for what the workload says
 * must hold. The same workload runs on both, each time in a process of its own.
 */
import type { Detail, MeasuredRow, SuiteResult } from "../report/row.ts";
import type { SmallBankOptions } from "../workloads/smallbank.ts";
import { type Scale, STANDARD } from "../workloads/tpcc/scale.ts";
import { DELIMITER, shardsFor } from "../workloads/tpcc/warehouse-shards.ts";
import type { YcsbLetter } from "../workloads/ycsb.ts";
import type { Measure, SuiteOptions } from "./index.ts";
import type { WorkloadCase } from "./workload-case.ts";
import { WORKLOAD_NOTES } from "./workload-notes.ts";
import { onCluster } from "./workload-on-cluster.ts";
import { onEmbedded } from "./workload-on-embedded.ts";

const PLACEMENT = { shards: 16, delimiter: DELIMITER };

export const smallBank: Measure = (options) => {
  const { quick } = options;
  const of = (name: string, own: SmallBankOptions) => ({
    name: `SmallBank, ${name}`,
    spec: { kind: "smallbank", options: own } as const,
    embedded: quick ? 10_000 : 30_000,
    placement: PLACEMENT,
  });
  return runWorkloads("smallbank", options, [
    {
      ...of("10,000 customers", {}),
      cluster: quick ? { 1: 300, 16: 1500, 64: 3000 } : { 1: 600, 16: 4000, 64: 8000 },
      warm: 4000,
    },
    {
      ...of("100 customers, all hot", { customers: 100, hot: 10, hotShare: 0.9 }),
      cluster: quick ? { 1: 200, 16: 200, 64: 300 } : { 1: 500, 16: 500, 64: 1000 },
      warm: 500,
    },
  ]);
};

const LETTERS: readonly YcsbLetter[] = ["A", "B", "C", "D", "E", "F"];

/** What a transaction takes of those of B: of E it gives some 200 records in place of 4, those of A and F contend for the same few. */
const PARTS: Readonly<Record<YcsbLetter, number>> = { A: 0.25, B: 1, C: 1, D: 1, E: 0.05, F: 0.25 };

export const ycsb: Measure = (options) => {
  const { quick } = options;
  const cases = LETTERS.map((letter): WorkloadCase => {
    const most = (count: number) => Math.ceil(count * PARTS[letter]);
    const alone = (count: number) => Math.ceil(count * Math.sqrt(PARTS[letter]));
    return {
      name: `YCSB ${letter}, 10,000 records, 4 operations a transaction`,
      spec: { kind: "ycsb", letter, records: 10_000 },
      embedded: alone(quick ? 4000 : 20_000),
      cluster: quick
        ? { 1: alone(200), 16: most(800), 64: most(1500) }
        : { 1: alone(400), 16: most(2000), 64: most(4000) },
      warm: most(2000),
      placement: PLACEMENT,
    };
  });
  return runWorkloads("ycsb", options, cases);
};

/** A tenth of the standard's items, and of its customers and orders. */
const TENTH: Scale = { ...STANDARD, warehouses: 2, customers: 300, items: 10_000 };
const WHOLE: Scale = { ...STANDARD, warehouses: 2 };

export const tpcc: Measure = (options) => {
  const { quick, standard = false } = options;
  const each: WorkloadCase = {
    ...sized(quick && !standard ? TENTH : WHOLE),
    embedded: quick ? 1500 : 5000,
    cluster: quick ? { 1: 60, 16: 300, 64: 400 } : { 1: 100, 16: 1000, 64: 1000 },
    warm: quick ? 300 : 1000,
    placement: { shards: shardsFor(WHOLE.warehouses), delimiter: DELIMITER },
  };
  return runWorkloads("tpcc", options, [each]);
};

function sized(scale: Scale): Pick<WorkloadCase, "name" | "spec"> {
  const { warehouses, items, customers } = scale;
  const size = `${warehouses} warehouses, ${items.toLocaleString("en-US")} items, ${customers.toLocaleString("en-US")} customers a district`;
  const name = items === STANDARD.items ? `TPC-C: ${size}` : `TPC-C, scaled down: ${size}`;
  return { name, spec: { kind: "tpcc", scale } };
}

export async function runWorkloads(
  suite: string,
  { quick, progress }: SuiteOptions,
  cases: readonly WorkloadCase[],
): Promise<SuiteResult> {
  const rows: MeasuredRow[] = [];
  const details: Detail[] = [];
  const options = { suite, rounds: quick ? 3 : 5, progress };
  for (const run of [onEmbedded, onCluster]) {
    for (const each of cases) {
      const result = await run(each, options);
      rows.push(...result.rows);
      details.push(...result.details);
    }
  }
  // Tables of the same form together.
  const byForm = Map.groupBy(details, (detail) => Object.keys(detail).join());
  return { rows, notes: WORKLOAD_NOTES, details: [...byForm.values()].flat() };
}
