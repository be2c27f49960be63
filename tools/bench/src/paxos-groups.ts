/**
 * Paxos groups of three replicas each, on three nodes in one process: a node has one acceptor log on disk for all its groups. The
 * groups' leaders are spread over the nodes. Messages arrive with the next turn of the event loop.
 */
import { join } from "node:path";
import { Driver, type DriverClock, type Envelope, type ReplicaId, replicaId } from "@khonsu/paxos";
import { LevelAcceptorLog } from "@khonsu/storage-level/acceptor-log";

const NODES = [1, 2, 3];
const REPLICAS = NODES.map((node) => replicaId(node));
const NOTHING = new Uint8Array();

const clock: DriverClock = {
  now: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Delivers in batches, one a turn. */
class Loopback {
  readonly #drivers: ReadonlyMap<ReplicaId, Driver>;
  #queue: Envelope[] = [];

  constructor(drivers: ReadonlyMap<ReplicaId, Driver>) {
    this.#drivers = drivers;
  }

  send(envelope: Envelope): void {
    if (this.#queue.length === 0) setImmediate(() => this.#deliver());
    this.#queue.push(envelope);
  }

  #deliver(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const envelope of queue) this.#drivers.get(envelope.to)?.receive(envelope);
  }
}

export class PaxosGroups {
  readonly #logs: readonly LevelAcceptorLog[];
  readonly #groups: readonly ReadonlyMap<ReplicaId, Driver>[];

  private constructor(logs: readonly LevelAcceptorLog[], groups: readonly ReadonlyMap<ReplicaId, Driver>[]) {
    this.#logs = logs;
    this.#groups = groups;
  }

  /** Founds `count` groups with their logs under `directory`, and waits until each has a leader. */
  static async open(directory: string, count: number): Promise<PaxosGroups> {
    const logs = await Promise.all(
      NODES.map((node) => LevelAcceptorLog.open(join(directory, `node ${node}`))),
    );
    const indices = Array.from({ length: count }, (_, index) => index);
    const groups = new PaxosGroups(logs, await Promise.all(indices.map((index) => openGroup(logs, index))));
    for (const group of indices) await groups.decide(group, 0, 1, NOTHING);
    return groups;
  }

  /** Has the leader of `group` decide the `sequence`-th command of `client`. */
  async decide(group: number, client: number, sequence: number, command: Uint8Array): Promise<void> {
    for (;;) {
      const leader = this.#leaderOf(group);
      const outcome = leader?.propose({ client, sequence, command }).then(
        () => true,
        () => false, // no leader yet, or another: the same proposal again is decided once
      );
      if (await outcome) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async close(): Promise<void> {
    for (const drivers of this.#groups) for (const driver of drivers.values()) await driver.close();
    for (const log of this.#logs) await log.close();
  }

  #leaderOf(group: number): Driver | undefined {
    return [...this.#groups[group]!.values()].find((driver) => driver.status().role === "leader");
  }
}

async function openGroup(
  logs: readonly LevelAcceptorLog[],
  index: number,
): Promise<ReadonlyMap<ReplicaId, Driver>> {
  const drivers = new Map<ReplicaId, Driver>();
  const transport = new Loopback(drivers);
  const configuration = { voters: REPLICAS, learners: [], retired: [], quorums: "majority" } as const;
  const opening = REPLICAS.map(async (self, node) => {
    const driver = await Driver.open({
      replica: {
        self,
        start: { kind: "found", configuration },
        seed: index * NODES.length + node,
        priority: index % NODES.length === node ? 1 : 0,
      },
      storage: logs[node]!.group(`group ${index}`),
      transport,
      clock,
      stateMachine: { apply: () => undefined, save: () => [], restore: () => {} },
      onFenced: (error) => {
        throw error;
      },
    });
    drivers.set(self, driver);
  });
  await Promise.all(opening);
  return drivers;
}
