// `Consensus` by `@khonsu/paxos`: its small driver, on a disk in memory.

import type { Consensus, ConsensusStatus, LogApplication } from "@khonsu/cluster";
import {
  type Configuration,
  Driver,
  type DriverTransport,
  nodeOf,
  RefusedError,
  replicaId,
} from "@khonsu/paxos";
import type { MemoryDisk } from "@khonsu/paxos/testing";
import type { VirtualRuntime } from "./virtual-runtime.ts";

export interface PaxosConsensusOptions {
  readonly self: number;
  readonly members: readonly number[];
  readonly disk: MemoryDisk;
  readonly transport: DriverTransport;
  readonly runtime: VirtualRuntime;
  readonly application: LogApplication;
  readonly checkpointEntries?: number;
}

export class PaxosConsensus implements Consensus {
  readonly #driver: Driver;
  readonly #runtime: VirtualRuntime;
  readonly #client: number;
  #sequence = 0;
  #isClosed = false;

  private constructor(driver: Driver, runtime: VirtualRuntime) {
    this.#driver = driver;
    this.#runtime = runtime;
    this.#client = Math.floor(runtime.random() * 2 ** 52);
  }

  static async open(options: PaxosConsensusOptions): Promise<PaxosConsensus> {
    const { self, members, disk, transport, runtime, application, checkpointEntries = 50 } = options;
    const configuration: Configuration = {
      voters: [...members].sort((a, b) => a - b).map((node) => replicaId(node)),
      learners: [],
      retired: [],
      quorums: "majority",
    };
    const driver = await Driver.open({
      replica: {
        self: replicaId(self),
        start: { kind: "found", configuration },
        seed: Math.floor(runtime.random() * 2 ** 31),
        checkpointEntries,
        retainEntries: 10,
      },
      storage: disk.open(),
      transport,
      clock: {
        now: () => runtime.now(),
        after: (milliseconds, callback) => runtime.schedule(milliseconds, callback),
      },
      stateMachine: application,
      tickMilliseconds: 10,
      onFenced: () => {},
    });
    return new PaxosConsensus(driver, runtime);
  }

  get driver(): Driver {
    return this.#driver;
  }

  async propose(command: Uint8Array): Promise<unknown> {
    const proposal = { client: this.#client, sequence: ++this.#sequence, command };
    for (;;) {
      try {
        return (await this.#driver.propose(proposal)).result;
      } catch (error) {
        if (this.#isClosed || !(error instanceof RefusedError) || !error.retryable) throw error;
        await this.#runtime.sleep(20);
      }
    }
  }

  async readBarrier(): Promise<void> {
    await this.#driver.readBarrier();
  }

  status(): ConsensusStatus {
    const { role, leader, applied } = this.#driver.status();
    return {
      isLeader: role === "leader",
      leader: leader === undefined ? undefined : nodeOf(leader),
      applied,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#driver.close();
  }
}
