/**
 * A cluster of three processes on loopback, each write synced by a majority before it is acknowledged, driven by a process of clients with 1,
 * 16, 64 and 256 operations in flight, beside three members of etcd driven in the same way. Both clusters run all the time, so that
 * the idle one's heartbeats are in the figures of the other. Then the processor's time that the nodes spend on an operation.
 */
import { ClientFork } from "../cluster/client-fork.ts";
import type { Operation } from "../cluster/client-messages.ts";
import { etcdCluster } from "../cluster/etcd-cluster.ts";
import { khonsuCluster } from "../cluster/khonsu-cluster.ts";
import { startCluster, type TestCluster } from "../cluster/test-cluster.ts";
import { type BenchCase, compare, type Subject, Unavailable } from "../compare.ts";
import { SEALED } from "../one-row.ts";
import type { Progress } from "../progress.ts";
import type { Detail, SuiteResult } from "../report/row.ts";
import { costOfReplication } from "./cost-of-replication.ts";
import type { SuiteOptions } from "./index.ts";

/** How long the idle clusters are watched. */
const IDLE_MS = 3000;
const KEYS = 10_000;
const IN_FLIGHT = [1, 16, 64, 256] as const;

const OPERATIONS: readonly (readonly [Operation, string])[] = [
  ["write", `write of one key, ${SEALED.length} bytes`],
  ["writeBoth", `write of two keys in two shards, ${SEALED.length} bytes each`],
  ["updateBoth", `read and write of two keys in two shards, ${SEALED.length} bytes each`],
  ["read", `read of one key, ${SEALED.length} bytes`],
];

/** A cluster with its clients. */
interface Driven {
  readonly cluster: TestCluster;
  readonly clients: ClientFork;
}

export async function cluster({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const driven: Driven[] = [];
  try {
    for (const make of [khonsuCluster, etcdCluster]) {
      const each = await drive(make, progress);
      if (each !== undefined) driven.push(each);
    }
    const cases = OPERATIONS.flatMap(([operation, name]) =>
      IN_FLIGHT.map((inFlight) => caseOf(driven, operation, name, inFlight, quick)),
    );
    const rows = await compare(cases, { suite: "cluster", rounds: quick ? 2 : 7, progress });
    const details: Detail[] = [];
    for (const each of driven) details.push(...(await processorTime(each, quick ? 1000 : 10_000)));
    const leading = driven.find(({ cluster: { kind } }) => kind === "khonsu");
    if (leading !== undefined)
      details.push(...(await costOfReplication(leading.cluster, quick ? 1000 : 20_000)));
    return { rows, details };
  } finally {
    for (const { cluster: started, clients } of driven) {
      await clients.close();
      await started.close();
    }
  }
}

async function drive(
  make: (directory: string) => Promise<TestCluster>,
  progress: Progress,
): Promise<Driven | undefined> {
  try {
    const started = await startCluster(make);
    return { cluster: started, clients: await ClientFork.open(started, KEYS) };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    progress.note(`skipped etcd: ${error.message}`);
    return undefined;
  }
}

function caseOf(
  driven: readonly Driven[],
  operation: Operation,
  name: string,
  inFlight: number,
  quick: boolean,
): BenchCase {
  const operations = (quick ? 20 : 100) * Math.max(2, Math.min(64, inFlight));
  return {
    name: `${name}, ${inFlight} in flight`,
    operations,
    slice: operations,
    subjects: driven.map(
      ({ cluster: { kind }, clients }): Subject => ({
        name: kind === "khonsu" ? "khonsu, three nodes" : "etcd 3.4, three members",
        prepare: () => ({
          run: async (count, latencies) => {
            for (const latency of await clients.run(operation, count, inFlight)) latencies.push(latency);
          },
        }),
      }),
    ),
  };
}

/** Of all members together: what they use while nothing happens, and, beyond that, an operation with 64 in flight. */
async function processorTime(
  { cluster: { kind, members }, clients }: Driven,
  count: number,
): Promise<Detail[]> {
  const used = async () => {
    const each = await Promise.all(members.map((member) => member.cpuSeconds()));
    return each.reduce((sum, seconds) => sum + seconds, 0);
  };
  const during = async (what: () => Promise<unknown>) => {
    const [started, before] = [performance.now(), await used()];
    await what();
    return { cpu: (await used()) - before, seconds: (performance.now() - started) / 1000 };
  };
  const idle = await during(() => new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
  const idlePerSecond = idle.cpu / idle.seconds;
  const details: Detail[] = [];
  for (const [operation, name] of OPERATIONS) {
    const { cpu, seconds } = await during(() => clients.run(operation, count, 64));
    const microseconds = ((cpu - idlePerSecond * seconds) * 1e6) / count;
    details.push(cpuRow(`${kind}, ${name}`, microseconds, idlePerSecond));
  }
  return details;
}

function cpuRow(what: string, microseconds: number, idlePerSecond: number): Detail {
  return {
    "64 in flight": what,
    "processor µs an operation, all nodes": Math.round(microseconds),
    "operations a processor second": Math.round(1e6 / Math.max(1, microseconds)),
    "processor ms a second while idle, all nodes": Math.round(idlePerSecond * 1000),
  };
}
