// The obvious log: one list in memory that outlives the replicas, which apply it a little later. The suite is checked against it.
import type { Consensus, ConsensusStatus, LogApplication } from "@khonsu/cluster";
import type { ConsensusGroup } from "./harness.ts";

/** Ways to be wrong. */
export const FAULTS = [
  "loses the last command in a crash",
  "applies a command twice",
  "swaps two commands on one replica",
  "acknowledges before it is kept",
  "confirms a barrier at once",
  "restores without what came after the checkpoint",
  "restores what it had applied",
  "never saves",
  "drops a replica's commands while another is gone",
  "gives the wrong result",
  "merges equal commands",
  "cuts large commands",
  "names itself the leader everywhere",
  "starts anew with nothing",
] as const;

export type Fault = (typeof FAULTS)[number];

interface Running {
  readonly application: LogApplication;
  applied: number;
  isGone: boolean;
  readonly results: Map<number, unknown>;
}

const CHECKPOINT_COMMANDS = 50;

export class MemoryGroup implements ConsensusGroup {
  readonly replicas: readonly number[];
  readonly #fault: Fault | undefined;
  readonly #log: Uint8Array[] = [];
  readonly #running = new Map<number, Running>();
  readonly #checkpoints = new Map<number, { readonly applied: number; readonly image: Uint8Array }>();

  constructor(size: number, fault?: Fault) {
    this.replicas = Array.from({ length: size }, (_, index) => index + 1);
    this.#fault = fault;
  }

  async open(replica: number, application: LogApplication): Promise<Consensus> {
    const running: Running = { application, applied: 0, isGone: false, results: new Map() };
    const checkpoint = this.#checkpoints.get(replica);
    if (checkpoint !== undefined) {
      application.restore(checkpoint.image);
      running.applied = checkpoint.applied;
      if (this.#fault === "restores without what came after the checkpoint")
        running.applied = this.#log.length;
      if (this.#fault === "restores what it had applied") running.applied -= 10;
    }
    if (this.#fault === "starts anew with nothing") running.applied = this.#log.length;
    this.#running.set(replica, running);
    this.#applySoon(replica, running);
    return {
      propose: (command) => this.#propose(replica, running, command),
      readBarrier: () => this.#barrier(running),
      status: () => this.#status(replica, running),
    };
  }

  crash(replica: number): void {
    this.#running.get(replica)!.isGone = true;
    this.#running.delete(replica);
    if (this.#fault === "loses the last command in a crash") this.#log.pop();
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #propose(replica: number, running: Running, command: Uint8Array): Promise<unknown> {
    if (this.#fault === "acknowledges before it is kept") {
      setImmediate(() => !running.isGone && this.#append(replica, command));
      return undefined;
    }
    const index = this.#append(replica, command);
    await this.#until(running, () => running.applied >= index);
    if (this.#fault === "gives the wrong result") return `${index + 1}:${new TextDecoder().decode(command)}`;
    return running.results.get(index);
  }

  #append(replica: number, command: Uint8Array): number {
    const isCut = this.#fault === "cuts large commands" && command.length > 65_535;
    const last = this.#log.at(-1);
    if (this.#fault === "merges equal commands" && last !== undefined && equals(last, command)) {
      return this.#log.length;
    }
    if (
      this.#fault !== "drops a replica's commands while another is gone" ||
      this.#running.size === this.replicas.length ||
      replica % 2 === 1
    ) {
      this.#log.push(isCut ? command.slice(-65_535) : command);
    }
    for (const [id, each] of this.#running) this.#applySoon(id, each);
    return this.#log.length;
  }

  async #barrier(running: Running): Promise<void> {
    if (this.#fault === "confirms a barrier at once") return;
    const index = this.#log.length;
    await this.#until(running, () => running.applied >= index);
  }

  /** Never resolves for a replica that is gone. */
  async #until(running: Running, holds: () => boolean): Promise<void> {
    while (!holds() && !running.isGone) await this.pause();
    if (running.isGone) await new Promise(() => {});
  }

  /** Not at once, so that replicas lag. */
  #applySoon(replica: number, running: Running): void {
    setImmediate(() => {
      try {
        while (!running.isGone && running.applied < this.#log.length) this.#applyNext(replica, running);
      } catch {
        // Its application refuses what it is given: it stops there.
        running.isGone = true;
      }
    });
  }

  #applyNext(replica: number, running: Running): void {
    const { application } = running;
    const index = ++running.applied;
    const isSwapped =
      this.#fault === "swaps two commands on one replica" && replica === 2 && index % 10 === 5;
    const command = this.#log[isSwapped ? Math.max(0, index - 2) : index - 1]!;
    running.results.set(index, application.apply(index, command));
    if (this.#fault === "applies a command twice" && index === 3) application.apply(index, command);
    if (index % CHECKPOINT_COMMANDS === 0 && this.#fault !== "never saves") {
      this.#checkpoints.set(replica, { applied: index, image: Buffer.concat([...application.save()]) });
    }
  }

  #status(replica: number, { applied }: Running): ConsensusStatus {
    const leader =
      this.#fault === "names itself the leader everywhere" ? replica : Math.min(...this.#running.keys());
    return { isLeader: leader === replica, leader, applied };
  }
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
