/** The suite that every store passes, against one node, and against three: the two clients go through different ones. */
import { describe, test } from "vitest";
import { TestCluster } from "../simulator/cluster/test-cluster.ts";
import { transactionSuite } from "./transaction-suite.ts";

for (const nodes of [1, 3]) {
  describe(`a cluster of ${nodes}`, () => {
    transactionSuite({
      test,
      open: async () => {
        const cluster = await TestCluster.open({ seed: 7, nodes, shards: 3 });
        const session = (id: number) => cluster.node(id).session();
        return {
          first: session(1),
          second: session(nodes),
          settle: (promise) => cluster.runtime.settle(promise),
          close: async () => cluster.close(),
        };
      },
    });
  });
}
