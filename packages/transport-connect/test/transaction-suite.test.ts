/** The suite that every store passes, through clients over real sockets, each connected to another node. */
import { transactionSuite } from "@khonsu/testkit/transaction-suite";
import { describe, test } from "vitest";
import { connectCluster as connectFromBrowser } from "../src/browser.ts";
import { MemoryCluster } from "./helpers/memory-cluster.ts";

const kinds = [
  ["Node", (cluster: MemoryCluster, address: string) => cluster.connect({ addresses: [address] })],
  ["a browser", (_: MemoryCluster, address: string) => connectFromBrowser({ addresses: [address] })],
] as const;

for (const [kind, connect] of kinds) {
  describe(`clients in ${kind}`, () => {
    transactionSuite({
      test,
      open: async () => {
        const cluster = await MemoryCluster.open({ nodes: 3, shards: 3 });
        const first = await connect(cluster, cluster.addresses[0]!);
        const second = await connect(cluster, cluster.addresses[2]!);
        return {
          first,
          second,
          settle: (promise) => promise,
          close: async () => {
            await first.close();
            await second.close();
            await cluster.close();
          },
        };
      },
    });
  });
}
