/**
 * The suite of transactions that every store passes, by two clients of a cluster: of three nodes in one process, and of three processes. The
 * cluster is opened once; each case begins with no keys.
 */
import { transactionSuite } from "@khonsu/testkit/transaction-suite";
import { type ClusterClient, connectCluster } from "@khonsu/transport-connect";
import { afterAll, beforeAll, describe, test } from "vitest";
import { LocalCluster } from "../node/local-cluster.ts";
import { ProcessCluster } from "./process-cluster.ts";

interface Served {
  readonly addresses: readonly string[];
  close(): Promise<void>;
}

const CLUSTERS: readonly (readonly [string, () => Promise<Served>])[] = [
  ["three nodes in one process", () => LocalCluster.open(3)],
  ["three processes", () => ProcessCluster.open(3)],
];

for (const [name, open] of CLUSTERS) {
  describe(name, () => {
    let cluster: Served;
    let clients: ClusterClient[];
    beforeAll(async () => {
      cluster = await open();
      clients = await Promise.all(
        cluster.addresses.map((address) => connectCluster({ addresses: [address] })),
      );
    });
    afterAll(async () => {
      await Promise.all(clients.map((client) => client.close()));
      await cluster.close();
    });

    transactionSuite({
      test,
      open: async () => {
        await empty(clients[2]!);
        return {
          first: clients[0]!.session(),
          second: clients[1]!.session(),
          settle: (promise) => promise,
          close: async () => {},
        };
      },
    });
  });
}

/** Deletes all keys, for whoever begins later in real time. */
async function empty(client: ClusterClient): Promise<void> {
  await client.transact(async (tx) => {
    for await (const [key] of tx.scan({})) tx.delete(key);
  });
}
