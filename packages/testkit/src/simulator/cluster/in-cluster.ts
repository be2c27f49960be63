// A cluster of three nodes and two shards for one test, and the values that such tests write.

import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { TestCluster, type TestClusterOptions } from "./test-cluster.ts";

/** Keys of the two shards. */
export const EVEN = "b";
export const ODD = "a";

export const batch = (value: number): RecordBatch =>
  tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) }).batches[0]!;

export const numberIn = (found: RecordBatch | undefined): number => Number(found?.getChild("value")?.get(0));

export async function inCluster(
  options: Partial<TestClusterOptions>,
  run: (cluster: TestCluster) => Promise<void>,
): Promise<void> {
  const cluster = await TestCluster.open({ seed: 1, nodes: 3, shards: 2, ...options });
  try {
    await run(cluster);
  } finally {
    cluster.close();
  }
}
