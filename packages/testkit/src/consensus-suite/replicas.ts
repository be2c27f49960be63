/** The replicas of a group under test, each with its application, and what the cases ask of all of them. */
import assert from "node:assert/strict";
import type { Consensus } from "@khonsu/cluster";
import type { ConsensusGroup } from "./harness.ts";
import { command, RecordingApplication } from "./recording-application.ts";

/** So many pauses a condition may take. */
const PAUSES_MAX = 3000;
const PAUSE_MS = 5;

interface Open {
  readonly consensus: Consensus;
  readonly application: RecordingApplication;
}

export class Replicas {
  readonly #group: ConsensusGroup;
  readonly #open = new Map<number, Open>();

  /** Rejects as soon as the log has broken a promise to an application. */
  readonly harmed: Promise<never>;
  #harm: (fault: unknown) => void = () => {};

  constructor(group: ConsensusGroup) {
    this.#group = group;
    this.harmed = new Promise((_, reject) => {
      this.#harm = reject;
    });
    this.harmed.catch(() => {});
  }

  get ids(): readonly number[] {
    return this.#group.replicas;
  }

  async openAll(): Promise<void> {
    await Promise.all(this.ids.filter((id) => !this.#open.has(id)).map((id) => this.open(id)));
  }

  async open(id: number): Promise<RecordingApplication> {
    const application = new RecordingApplication(this.#harm);
    this.#open.set(id, { consensus: await this.#group.open(id, application), application });
    return application;
  }

  async crash(id: number): Promise<void> {
    this.#open.delete(id);
    await this.#group.crash(id);
  }

  /** A replica, the `index`-th, over and over. */
  id(index: number): number {
    return this.ids[index % this.ids.length]!;
  }

  consensus(id: number): Consensus {
    return this.#open.get(id)!.consensus;
  }

  application(id: number): RecordingApplication {
    return this.#open.get(id)!.application;
  }

  /** The node that leads, as some replica knows it itself. */
  get leader(): number | undefined {
    for (const [id, { consensus }] of this.#open) if (consensus.status().isLeader) return id;
    return undefined;
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    for (let i = 0; !holds(); i++) {
      assert.ok(i < PAUSES_MAX, `It does not come about that ${what}`);
      await this.pause();
    }
  }

  pause(): Promise<void> {
    return this.#group.pause?.() ?? new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }

  /** Proposes a command until it is acknowledged; where that was in doubt, it may be there more than once. */
  async propose(id: number, name: string): Promise<unknown> {
    return this.#again(`${name} is acknowledged`, () => this.consensus(id).propose(command(name)));
  }

  async barrier(id: number): Promise<void> {
    await this.#again(`a barrier of ${id} is confirmed`, () => this.consensus(id).readBarrier());
  }

  /** What all open replicas have applied, after barriers; the same on each. */
  async agreed(): Promise<readonly string[]> {
    const ids = [...this.#open.keys()];
    for (const id of ids) await this.barrier(id);
    const last = () => Math.max(...ids.map((id) => this.application(id).last));
    await this.until("replicas have applied the same", () =>
      ids.every((id) => this.application(id).last === last()),
    );
    const [first, ...rest] = ids.map((id) => this.application(id));
    for (const application of rest) assert.deepEqual(application.commands, first!.commands);
    return first!.commands;
  }

  async #again<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    for (let i = 0; ; i++) {
      try {
        return await attempt();
      } catch (error) {
        if (i >= PAUSES_MAX / 10) throw new Error(`It does not come about that ${what}`, { cause: error });
        await this.pause();
      }
    }
  }
}
