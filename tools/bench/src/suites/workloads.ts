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
import { onCluster } from "./workload-on-cluster.ts";
import { onEmbedded } from "./workload-on-embedded.ts";

const PLACEMENT = { shards: 16, delimiter: DELIMITER };

export const smallBank: Measure = (options) => {
  const depths = (many: number) => ({ 1: Math.ceil(many / 15), 16: many, 64: 2 * many });
  const bank = (name: string, own: SmallBankOptions, many: number): WorkloadCase => ({
    name: `SmallBank, ${name}`,
    spec: { kind: "smallbank", options: own },
    embedded: options.quick ? 2000 : 20_000,
    cluster: depths(options.quick ? many / 5 : many),
    placement: PLACEMENT,
  });
  return runWorkloads("smallbank", options, [
    bank("10,000 customers", {}, 2000),
    bank("100 customers, all hot", { customers: 100, hot: 10, hotShare: 0.9 }, 500),
  ]);
};

const LETTERS: readonly YcsbLetter[] = ["A", "B", "C", "D", "E", "F"];

export const ycsb: Measure = (options) => {
  const { quick } = options;
  const cases = LETTERS.map((letter): WorkloadCase => {
    const part = letter === "E" ? 0.1 : 1;
    const most = (count: number) => Math.ceil(count * part);
    return {
      name: `YCSB ${letter}, 10,000 records, 4 operations a transaction`,
      spec: { kind: "ycsb", letter, records: 10_000 },
      embedded: quick ? most(1000) : most(10_000),
      cluster: quick
        ? { 1: most(40), 16: most(400), 64: most(800) }
        : { 1: most(100), 16: most(1000), 64: most(2000) },
      placement: PLACEMENT,
    };
  });
  return runWorkloads("ycsb", options, cases);
};

/** What `--quick` runs on: a hundredth of the items and a fiftieth of the customers. */
const QUICK: Scale = { ...STANDARD, warehouses: 2, customers: 60, items: 1000 };
/** What a cluster runs on: the image of a shard is made in one piece, and one of a whole warehouse takes seconds. */
const TENTH: Scale = { ...STANDARD, warehouses: 2, customers: 300, items: 10_000 };
const WHOLE: Scale = { ...STANDARD, warehouses: 2 };

export const tpcc: Measure = async (options) => {
  const { quick, standard = false } = options;
  const embedded = sized(quick ? QUICK : WHOLE);
  const each: WorkloadCase = {
    ...embedded,
    onCluster: quick || standard ? embedded : sized(TENTH),
    embedded: quick ? 500 : 5000,
    cluster: quick ? { 1: 20, 16: 200 } : { 1: 100, 16: 1000, 64: 1000 },
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
  const options = { suite, rounds: quick ? 2 : 5, progress };
  for (const run of [onEmbedded, onCluster]) {
    for (const each of cases) {
      const result = await run(each, options);
      rows.push(...result.rows);
      details.push(...result.details);
    }
  }
  // Tables of the same form together.
  const byForm = Map.groupBy(details, (detail) => Object.keys(detail).join());
  return { rows, details: [...byForm.values()].flat() };
}
