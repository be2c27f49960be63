/** The suite of consensus against groups of `@khonsu/paxos`, under virtual time, on disks in memory. */
import type { Consensus, LogApplication } from "@khonsu/cluster";
import { type Configuration, nodeOf, ReplicatedLog, replicaId } from "@khonsu/paxos";
import { MemoryDisk } from "@khonsu/paxos/testing";
import { describe, test } from "vitest";
import { type ConsensusGroup, consensusSuite } from "../../consensus-suite/index.ts";
import { Prng } from "../prng.ts";
import { VirtualRuntime } from "./virtual-runtime.ts";

class PaxosGroup implements ConsensusGroup {
  readonly replicas: readonly number[];
  readonly #runtime = new VirtualRuntime(new Prng("consensus suite"));
  readonly #disks = new Map<number, MemoryDisk>();
  readonly #logs = new Map<number, ReplicatedLog>();

  constructor(size: number) {
    this.replicas = Array.from({ length: size }, (_, index) => index + 1);
  }

  async open(replica: number, application: LogApplication): Promise<Consensus> {
    const runtime = this.#runtime;
    const disk = this.#disks.get(replica) ?? new MemoryDisk();
    this.#disks.set(replica, disk);
    const voters = this.replicas.map((id) => replicaId(id));
    const configuration: Configuration = { voters, learners: [], retired: [], quorums: "majority" };
    const log = await ReplicatedLog.open({
      replica: {
        self: replicaId(replica),
        start: { kind: "found", configuration },
        seed: Math.floor(runtime.random() * 2 ** 31),
        checkpointEntries: 50,
        retainEntries: 10,
      },
      storage: disk.open(),
      transport: {
        send: (envelope) =>
          void runtime.schedule(0.2 + runtime.random(), () =>
            this.#logs.get(nodeOf(envelope.to))?.receive(envelope),
          ),
      },
      clock: { now: () => runtime.now(), after: (milliseconds, run) => runtime.schedule(milliseconds, run) },
      random: () => runtime.random(),
      stateMachine: application,
      tickMilliseconds: 10,
      onFenced: () => {},
    });
    this.#logs.set(replica, log);
    return log;
  }

  crash(replica: number): void {
    void this.#logs.get(replica)?.close();
    this.#logs.delete(replica);
  }

  pause(): Promise<void> {
    return this.#runtime.sleep(10);
  }

  run(body: Promise<void>): Promise<void> {
    return this.#runtime.settle(body, 600_000);
  }

  dispose(): void {
    for (const replica of this.replicas) this.crash(replica);
  }
}

for (const size of [1, 3, 5]) {
  describe(`a group of ${size}`, () => consensusSuite({ test, factory: () => new PaxosGroup(size) }));
}
