/** Opens the store that is asked for and loads the workload that is asked for into it. */
import { Khonsu } from "@khonsu/core";
import { connectCluster } from "@khonsu/transport-connect";
import { etcdRecords } from "../peers/etcd-records.ts";
import { lmdbRecords } from "../peers/lmdb-records.ts";
import { sqliteRecords } from "../peers/sqlite-records.ts";
import { type Columns, overBatches, type RecordStore, type RecordWorkload } from "../workloads/records.ts";
import { SmallBank } from "../workloads/smallbank.ts";
import { Tpcc } from "../workloads/tpcc/tpcc.ts";
import type { Workload } from "../workloads/workload.ts";
import { Ycsb } from "../workloads/ycsb.ts";
import { ClusterStore } from "./cluster-store.ts";
import { type Bound, bind, Driven } from "./driven.ts";
import { EmbeddedStore } from "./embedded-store.ts";
import type { StoreSpec, WorkloadSpec } from "./messages.ts";
import type { WorkloadStore } from "./workload-store.ts";

type KhonsuSpec = Extract<StoreSpec, { kind: "embedded" | "cluster" }>;
type Peer = Exclude<StoreSpec, KhonsuSpec>;

const MAX_RETRIES = 10_000;

export async function openDriven(store: StoreSpec, workload: WorkloadSpec): Promise<Driven> {
  if (store.kind === "embedded" || store.kind === "cluster") {
    const made = workloadOf(workload);
    const opened = await openStore(store);
    await made.load(opened.forCaller(0));
    return new Driven(bind(made, opened));
  }
  if (workload.kind === "tpcc")
    throw new Error("TPC-C is written for Arrow batches, and runs in Khonsu only");
  if (workload.kind === "smallbank") return new Driven(await onPeer(store, new SmallBank(workload.options)));
  return new Driven(await onPeer(store, new Ycsb(workload.letter, workload.records)));
}

function workloadOf(spec: WorkloadSpec): Workload {
  if (spec.kind === "smallbank") return overBatches(new SmallBank(spec.options));
  return spec.kind === "ycsb" ? overBatches(new Ycsb(spec.letter, spec.records)) : new Tpcc(spec.scale);
}

async function openStore(spec: KhonsuSpec): Promise<WorkloadStore> {
  if (spec.kind === "cluster") {
    const { addresses } = spec;
    return new ClusterStore(await connectCluster({ addresses }));
  }
  const { isolation } = spec;
  return new EmbeddedStore(await Khonsu.open({ detectLeaks: false, isolation, maxRetries: MAX_RETRIES }));
}

type PeerStore<S extends Columns> = RecordStore<S> & (Disposable | AsyncDisposable);

async function openPeer<S extends Columns>(peer: Peer, { type }: RecordWorkload<S>): Promise<PeerStore<S>> {
  if (peer.kind === "etcd") return etcdRecords(peer.addresses);
  return peer.kind === "sqlite" ? await sqliteRecords(type) : await lmdbRecords(type);
}

async function onPeer<S extends Columns>(peer: Peer, workload: RecordWorkload<S>): Promise<Bound> {
  const store = await openPeer(peer, workload);
  await workload.load(store);
  return {
    next: (random) => {
      const { kind: name, run } = workload.next(random);
      return { kind: name, run: () => run(store) };
    },
    check: () => workload.check(store),
    close: async () => {
      if (Symbol.asyncDispose in store) await store[Symbol.asyncDispose]();
      else store[Symbol.dispose]();
    },
  };
}
