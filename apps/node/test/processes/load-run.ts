/**
 * A cluster of processes under load while something is done to it. In the end what the clients saw over all lives is checked: histories
 * strictly serializable, the bank whole, nothing left in doubt.
 */
import { KeyMap } from "@khonsu/cluster";
import { checkBankTotal, checkTransactions } from "@khonsu/testkit/checkers";
import type { Operation } from "@khonsu/testkit/history";
import { Prng } from "@khonsu/testkit/simulator";
import { Workload } from "@khonsu/testkit/workloads";
import { type ClusterClient, connectCluster } from "@khonsu/transport-connect";
import { ACCOUNTS, executeBank, executeList, openAccounts, probe, TOTAL } from "./clients.ts";
import { PauseProbe } from "./pause-probe.ts";
import { ProcessCluster } from "./process-cluster.ts";

export interface LoadOptions {
  readonly seed: string;
  /** Clients that append to lists, and as many that move money. */
  readonly clients: number;
}

/** What is done to the cluster meanwhile. */
export type Script = (cluster: ProcessCluster, probing: PauseProbe) => Promise<void>;

export interface LoadReport {
  readonly outcomes: Readonly<Record<"lists" | "bank", Readonly<Record<string, number>>>>;
  readonly probes: number;
  /** What is wrong; empty if all holds. */
  readonly violations: readonly string[];
}

const SHARDS = 4;

export async function runUnderLoad(options: LoadOptions, script: Script): Promise<LoadReport> {
  const cluster = await ProcessCluster.open(3, { placement: { shards: SHARDS } });
  const clients: ClusterClient[] = [];
  const connect = async (index: number): Promise<ClusterClient> => {
    const { addresses } = cluster;
    const from = index % addresses.length;
    const client = await connectCluster({
      addresses: [...addresses.slice(from), ...addresses.slice(0, from)],
    });
    clients.push(client);
    return client;
  };
  try {
    return await run(cluster, connect, options, script);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await cluster.close();
  }
}

type Connect = (index: number) => Promise<ClusterClient>;

async function run(
  cluster: ProcessCluster,
  connect: Connect,
  options: LoadOptions,
  script: Script,
): Promise<LoadReport> {
  await openAccounts((await connect(0)).session());
  let isOver = false;
  const lists: Operation[] = [];
  const bank: Operation[] = [];
  const load = Promise.all([
    ...loadLists(connect, options, lists, () => isOver),
    ...loadBank(connect, options, bank, () => isOver),
  ]);
  const probing = new PauseProbe(await probesOf(connect));
  try {
    await Promise.race([script(cluster, probing), failed(load)]);
  } finally {
    isOver = true;
    await Promise.allSettled([load, probing.close()]);
  }
  await cluster.until(
    ({ ready, shards }) => ready && shards.every(({ here }) => here === null || here.inDoubt === 0),
  );
  await finalReads(connect, cluster.addresses.length, lists, bank);
  return {
    outcomes: { lists: countOutcomes(lists), bank: countOutcomes(bank) },
    probes: probing.acknowledged,
    violations: violationsIn(lists, bank),
  };
}

/** Rejects if `load` does: a client met what it must not meet. */
function failed(load: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => load.catch(reject));
}

/** A clock shared by all clients of this process. */
const now = (): number => performance.now();

function loadLists(
  connect: Connect,
  { clients, seed }: LoadOptions,
  history: Operation[],
  isOver: () => boolean,
): Promise<void>[] {
  const workload = new Workload({
    seed: `kills/${seed}/lists`,
    keys: 6,
    mix: { reads: 4, writes: 4, absentReads: 0.5, scans: 0.1 },
  });
  return Array.from({ length: clients }, async (_, process) => {
    const session = (await connect(process)).session();
    while (!isOver()) {
      const transaction = workload.next();
      const invoke = now();
      const { outcome, ops } = await executeList(session, transaction);
      history.push({ process, invoke, complete: now(), outcome, ops });
    }
  });
}

function loadBank(
  connect: Connect,
  { clients, seed }: LoadOptions,
  history: Operation[],
  isOver: () => boolean,
): Promise<void>[] {
  return Array.from({ length: clients }, async (_, process) => {
    const random = new Prng(`kills/${seed}/bank/${process}`);
    const session = (await connect(process)).session();
    while (!isOver()) {
      const invoke = now();
      const { outcome, ops } = await executeBank(session, random);
      history.push({ process, invoke, complete: now(), outcome, ops });
    }
  });
}

/** One for each shard. */
async function probesOf(connect: Connect): Promise<(() => Promise<void>)[]> {
  const keys = new KeyMap({ shardCount: SHARDS });
  const keyOf = (shard: number): string => {
    for (let i = 0; ; i++) if (keys.shardOf(`probe/${i}`) === shard) return `probe/${i}`;
  };
  return Promise.all(
    Array.from({ length: SHARDS }, async (_, shard) => {
      const session = (await connect(shard)).session();
      const key = keyOf(shard);
      return () => probe(session, key);
    }),
  );
}

/** What every node has in the end, as the last operations of the histories. */
async function finalReads(
  connect: Connect,
  nodes: number,
  lists: Operation[],
  bank: Operation[],
): Promise<void> {
  const keys = [
    ...new Set(lists.flatMap(({ ops }) => ops.flatMap((op) => (op[0] === "append" ? [op[1]] : [])))),
  ];
  for (let node = 0; node < nodes; node++) {
    const session = (await connect(node)).session();
    const process = 1_000_000 + node;
    const invoke = now();
    const read = await executeList(session, {
      number: 0,
      isolation: "serializable",
      ops: keys.map((key) => ["r", key] as const),
    });
    lists.push({ process, invoke, complete: now(), ...read });
    if (read.outcome !== "ok") throw new Error("the lists cannot be read in the end");
    const begun = now();
    const audit = await executeBank(session, new Prng("audit"), true);
    bank.push({ process, invoke: begun, complete: now(), ...audit });
    if (audit.outcome !== "ok") throw new Error("the bank cannot be read in the end");
  }
}

function violationsIn(lists: Operation[], bank: Operation[]): string[] {
  const { anomalies, givenUp } = checkTransactions(lists, { model: "strict-serializable" });
  const { violations } = checkBankTotal(bank, { total: TOTAL, accounts: ACCOUNTS });
  return [
    ...anomalies
      .filter(({ isProscribed }) => isProscribed)
      .map(({ explanation, kind }) => `${kind}: ${explanation}`),
    ...givenUp.map((kind) => `the search for ${kind} was given up`),
    ...violations.map(({ explanation }) => explanation),
  ];
}

function countOutcomes(history: readonly Operation[]): Record<string, number> {
  const counts: Record<string, number> = { ok: 0, fail: 0, unknown: 0 };
  for (const { outcome } of history) counts[outcome]! += 1;
  return counts;
}
