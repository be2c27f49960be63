/** What the suites have a cluster do, by a client of its own; the values are the same bytes, an Arrow batch of 424 bytes as a stream. */

import { connectCluster } from "@khonsu/transport-connect";
import type { RecordBatch } from "apache-arrow";
import type { Etcd3 } from "etcd3";
import { etcdClient } from "./etcd-cluster.ts";
import type { ClusterKind } from "./test-cluster.ts";

export interface KeyClient {
  write(key: string): Promise<unknown>;
  /** Both or none. */
  writeBoth(a: string, b: string): Promise<unknown>;
  /** Reads both, then writes both if neither has changed; again if one has. */
  updateBoth(a: string, b: string): Promise<unknown>;
  /** The newest value. */
  read(key: string): Promise<unknown>;
  close(): Promise<void>;
}

export interface KeyClientOptions {
  readonly kind: ClusterKind;
  readonly addresses: readonly string[];
  readonly batch: RecordBatch;
  readonly bytes: Uint8Array;
}

export async function openKeyClient(options: KeyClientOptions): Promise<KeyClient> {
  return options.kind === "khonsu" ? khonsuClient(options) : etcdKeyClient(options);
}

async function khonsuClient({ addresses, batch }: KeyClientOptions): Promise<KeyClient> {
  const client = await connectCluster({ addresses });
  const options = { maxRetries: 1000 };
  return {
    write: (key) => client.transact((tx) => tx.write(key, batch), options),
    writeBoth: (a, b) =>
      client.transact((tx) => {
        tx.write(a, batch);
        tx.write(b, batch);
      }, options),
    updateBoth: (a, b) =>
      client.transact(async (tx) => {
        await Promise.all([tx.read(a), tx.read(b)]);
        tx.write(a, batch);
        tx.write(b, batch);
      }, options),
    read: (key) => client.transact((tx) => tx.read(key), { readOnly: true }),
    close: () => client.close(),
  };
}

function etcdKeyClient({ addresses, bytes }: KeyClientOptions): KeyClient {
  const client = etcdClient(addresses);
  const value = Buffer.from(bytes);
  return {
    write: (key) => client.put(key).value(value).exec(),
    writeBoth: (a, b) => {
      const [first, second] = [client.put(a).value(value), client.put(b).value(value)];
      return client.if(a, "Version", ">", -1).then(first, second).commit();
    },
    updateBoth: (a, b) => updateBoth(client, a, b, value),
    read: (key) => client.get(key).buffer(),
    close: async () => client.close(),
  };
}

async function updateBoth(client: Etcd3, a: string, b: string, value: Buffer): Promise<void> {
  for (;;) {
    const [before, also] = await Promise.all([client.get(a).exec(), client.get(b).exec()]);
    const revision = (answer: typeof before) => answer.kvs[0]?.mod_revision ?? "0";
    const { succeeded } = await client
      .if(a, "Mod", "==", Number(revision(before)))
      .and(b, "Mod", "==", Number(revision(also)))
      .then(client.put(a).value(value), client.put(b).value(value))
      .commit();
    if (succeeded) return;
  }
}
