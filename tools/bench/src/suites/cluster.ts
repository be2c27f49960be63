/**
 * A cluster of three processes on loopback, each write synced by a majority before it is acknowledged, driven by a process of clients with 1,
 * 16, 64 and 256 operations in flight, beside three members of etcd driven in the same way. Both clusters run all the time, so that
 * the idle one's heartbeats are in the figures of the other.
 *
 * Servers run for long, and V8 compiles what has run often: a write costs a fresh cluster twice what it costs one that has served
 * 20,000. So before each case both clusters and their clients do the same number of operations of its kind, which count in no figure.
 * Beside rates and latencies stands the processor's time of nodes and of clients, which shows what limits: all share the machine's processors.
 */
import { ClientFork } from "../cluster/client-fork.ts";
import type { Operation } from "../cluster/client-messages.ts";
import { etcdCluster } from "../cluster/etcd-cluster.ts";
import { khonsuCluster } from "../cluster/khonsu-cluster.ts";
import { ProcessorTime } from "../cluster/processor-time.ts";
import { startCluster, type TestCluster } from "../cluster/test-cluster.ts";
import { type BenchCase, compare, type Subject, Unavailable } from "../compare.ts";
import { SEALED } from "../one-row.ts";
import type { Progress } from "../progress.ts";
import type { Detail, MeasuredRow, SuiteResult } from "../report/row.ts";
import { costOfReplication } from "./cost-of-replication.ts";
import type { SuiteOptions } from "./index.ts";

const KEYS = 10_000;
export const IN_FLIGHT = [1, 16, 64, 256] as const;
type InFlight = (typeof IN_FLIGHT)[number];
/** With so many in flight both get warm, whatever the number in flight of the case. */
const WARM_IN_FLIGHT = 64;

export const SUBJECTS = { khonsu: "khonsu, three nodes", etcd: "etcd 3.4, three members" } as const;

export const OPERATIONS: Readonly<Record<Operation, string>> = {
  write: `write of one key, ${SEALED.length} bytes`,
  writeBoth: `write of two keys in two shards, ${SEALED.length} bytes each`,
  updateBoth: `read and write of two keys in two shards, ${SEALED.length} bytes each`,
  read: `read of one key, ${SEALED.length} bytes`,
};

/** Operations of a subject in a round: a second or two of them, by what is usual on two processors. */
const ROUND: Readonly<Record<Operation, Readonly<Record<InFlight, number>>>> = {
  write: { 1: 600, 16: 3000, 64: 6000, 256: 8000 },
  writeBoth: { 1: 300, 16: 1200, 64: 2000, 256: 3000 },
  updateBoth: { 1: 200, 16: 800, 64: 1500, 256: 2000 },
  read: { 1: 1000, 16: 6000, 64: 10_000, 256: 12_000 },
};

/** Rounds, and operations of a cluster before each case. */
const FULL = { rounds: 7, warm: 20_000, replicated: 20_000 } as const;
const QUICK = { rounds: 3, warm: 5000, replicated: 10_000 } as const;

/** A cluster with its clients. */
interface Driven {
  readonly cluster: TestCluster;
  readonly clients: ClientFork;
  readonly time: ProcessorTime;
}

export async function cluster({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const { rounds, warm, replicated } = quick ? QUICK : FULL;
  const driven: Driven[] = [];
  try {
    for (const make of [khonsuCluster, etcdCluster]) {
      const each = await drive(make, progress);
      if (each !== undefined) driven.push(each);
    }
    const cases = (Object.keys(OPERATIONS) as Operation[]).flatMap((operation) =>
      IN_FLIGHT.map((inFlight) => caseOf(driven, operation, inFlight, warm)),
    );
    const rows = await compare(cases, { suite: "cluster", rounds, progress });
    const cost = await costOfReplication(driven[0]!.cluster, replicated);
    const notes = [
      `Before each case each cluster and its clients did ${warm.toLocaleString("en-US")} operations of its kind with ${WARM_IN_FLIGHT} in flight, after a first ${KEYS.toLocaleString("en-US")} writes: none of these counts. The members of both, their clients and this process share the processors of the machine.`,
    ];
    return { rows, notes, details: [...processorRows(driven, rows), ...driven.map(idleRow), ...cost] };
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
    const clients = await ClientFork.open(started, KEYS);
    return { cluster: started, clients, time: await ProcessorTime.of(started.members) };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    progress.note(`skipped etcd: ${error.message}`);
    return undefined;
  }
}

export function caseName(operation: Operation, inFlight: InFlight): string {
  return `${OPERATIONS[operation]}, ${inFlight} in flight`;
}

function caseOf(
  driven: readonly Driven[],
  operation: Operation,
  inFlight: InFlight,
  warm: number,
): BenchCase {
  const name = caseName(operation, inFlight);
  const operations = ROUND[operation][inFlight];
  const subject = ({ cluster: { kind }, clients, time }: Driven): Subject => ({
    name: SUBJECTS[kind],
    prepare: () => ({
      warm: async () => void (await clients.run(operation, warm, WARM_IN_FLIGHT)),
      run: async (count, latencies) => {
        const ran = await time.during(name, () => clients.run(operation, count, inFlight));
        for (const latency of ran.latencies) latencies.push(latency);
      },
    }),
  });
  return { name, operations, slice: operations, subjects: driven.map(subject) };
}

function processorRows(driven: readonly Driven[], rows: readonly MeasuredRow[]): Detail[] {
  const names = [...new Set(rows.map((row) => row.case))];
  return names.flatMap((name) => {
    const own = driven.map(({ cluster: { kind }, time }) => time.row(name, SUBJECTS[kind]));
    return own.filter((row) => row !== undefined);
  });
}

function idleRow({ cluster: { kind }, time }: Driven): Detail {
  return {
    "while nothing happens": SUBJECTS[kind],
    "processor ms a second, all nodes": Math.round(time.idlePerSecond * 1000),
  };
}
