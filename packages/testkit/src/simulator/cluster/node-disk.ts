// What is on the disk of a node: the logs of its groups, and its record. A process that has crashed writes nothing any more.

import type { RecordStore } from "@khonsu/cluster";
import { MemoryDisk } from "@khonsu/paxos/testing";
import type { VirtualRuntime } from "./virtual-runtime.ts";

const SAVE_MS = 1;

export class NodeDisk {
  readonly #groups = new Map<number, MemoryDisk>();
  #record: string | undefined = undefined;
  #life = 0;

  /** Another process has the disk from now on, whose number this is. */
  startLife(): number {
    this.#life += 1;
    return this.#life;
  }

  isIn(life: number): boolean {
    return life === this.#life;
  }

  group(group: number): MemoryDisk {
    let disk = this.#groups.get(group);
    if (disk === undefined) {
      disk = new MemoryDisk();
      this.#groups.set(group, disk);
    }
    return disk;
  }

  get groups(): number[] {
    return [...this.#groups.keys()].sort((a, b) => a - b);
  }

  delete(group: number): void {
    this.#groups.delete(group);
  }

  /** The record as the process of now sees it: what is not saved when it crashes never is. */
  record(runtime: VirtualRuntime): RecordStore {
    const life = this.#life;
    return {
      load: async () => this.#record,
      save: async (text) => {
        await runtime.sleep(SAVE_MS);
        if (life !== this.#life) return new Promise(() => {});
        this.#record = text;
      },
    };
  }
}
