/**
 * Moves replicas to where they should be. Whoever leads the directory does it, one step at a time a group, in a bounded number of groups
 * at a time. It remembers nothing that matters: every step follows from the directory and from the group itself (`next-step.ts`),
 * can be asked for twice, and is refused by the group or the directory where it does not fit (PL-6).
 */
import type { Runtime } from "@khonsu/core";
import { jittered } from "../pause.ts";
import type { DirectoryCommand } from "./command.ts";
import type { AskNode, Directory } from "./directory.ts";
import { GroupAccess, type Led } from "./group-access.ts";
import { GroupSweep } from "./group-sweep.ts";
import { nextStep } from "./next-step.ts";
import { plannedMoves } from "./plan-moves.ts";
import { type DirectoryState, type GroupRecord, isSound, type ReplicaIdentity, replicasIn } from "./state.ts";
import { targetNodes } from "./target.ts";

export interface MoverOptions {
  readonly directory: Directory;
  readonly runtime: Runtime;
  /** Asks any node, this one included. */
  readonly ask: AskNode;
  /** How many groups change at a time. Default 4. */
  readonly movesMax?: number | undefined;
  /** How long to wait between two rounds, in milliseconds. Default 100. */
  readonly roundMs?: number | undefined;
}

/** How a move got on in a round. */
interface Advance {
  /** It can get no further for now. */
  readonly isStuck?: boolean;
  /** The node that is down. */
  readonly waitsFor?: number;
}

const isStuck = ({ isStuck: is }: Advance) => is === true;

/** Steps of one group in one round: enough for a whole move where nothing has to be waited for. */
const STEPS_MAX = 6;

export class Mover {
  readonly #options: MoverOptions;
  readonly #groups: GroupAccess;
  readonly #sweep: GroupSweep;
  /** Where replicas should be, made for these members; made anew when they change. */
  #target:
    | { readonly key: readonly unknown[]; readonly nodes: ReadonlyMap<number, readonly number[]> }
    | undefined;
  #isClosed = false;

  constructor(options: MoverOptions) {
    this.#options = options;
    this.#groups = new GroupAccess(options.ask);
    this.#sweep = new GroupSweep({
      groups: this.#groups,
      state: () => options.directory.state,
      wantedLeader: (state, group) => this.#targetOf(state).get(group)?.[0],
      propose: (command) => this.#propose(command),
    });
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
  }

  #schedule(): void {
    const { runtime, roundMs = 100 } = this.#options;
    runtime.schedule(jittered(runtime, 2 * roundMs), () => {
      if (this.#isClosed) return;
      const { directory } = this.#options;
      const round =
        directory.isLeader && directory.state !== undefined
          ? this.#round(directory.state)
          : Promise.resolve();
      // What went wrong is seen again in the next round.
      round.catch(() => {}).finally(() => this.#schedule());
    });
  }

  async #round(state: DirectoryState): Promise<void> {
    const { movesMax = 4 } = this.#options;
    const moving = [...state.groups.values()].filter(({ move }) => move !== undefined);
    const stuck = (await Promise.all(moving.map(({ group }) => this.#advance(group)))).filter(isStuck);
    // A move that waits for a node that is down takes nobody's place, and no other one to that node is begun meanwhile.
    const down = new Set(stuck.map(({ waitsFor }) => waitsFor));
    const free = movesMax - (moving.length - stuck.length);
    if (free > 0) {
      const begun = await this.#begin(state, free, down);
      if (begun === 0) await this.#retire(state);
    }
    await this.#sweep.next(state);
  }

  // --- a move ---

  async #advance(group: number): Promise<Advance> {
    for (let step = 0; step < STEPS_MAX && !this.#isClosed; step++) {
      const state = this.#options.directory.state!;
      const record = state.groups.get(group);
      if (record?.move === undefined) return {};
      const led = await this.#groups.inspect(record);
      if (led === undefined) return { isStuck: true };
      if (!(await this.#step(state, record, led))) return this.#whyNot(record);
    }
    return {};
  }

  /** A step was not taken: because the node of the new replica is down? */
  async #whyNot({ group, move }: GroupRecord): Promise<Advance> {
    const node = move?.add?.node;
    if (node === undefined || (await this.#groups.view(node, group)) !== undefined) return {};
    return { isStuck: true, waitsFor: node };
  }

  /** Takes the next step of a move; tells whether another may follow at once. */
  async #step(state: DirectoryState, record: GroupRecord, { leader, view }: Led): Promise<boolean> {
    const { group, move } = record;
    const isViable = (replica: ReplicaIdentity) =>
      isSound(state, replica) && state.members.get(replica.node)?.state === "active";
    const step = nextStep(record, leader, view, isViable);
    switch (step.kind) {
      case "record":
        return this.#propose({ kind: "endMove", group, move: move! });
      case "cancel":
        return this.#propose({ kind: "cancelMove", group, add: step.add });
      case "changeGroup":
        return this.#groups.change(group, leader, step.change);
      case "handOver": {
        const replica = this.#any(step.candidates);
        return replica !== undefined && this.#groups.change(group, leader, { kind: "transfer", replica });
      }
    }
  }

  // --- what to begin ---

  /** Begins up to `most` moves, none to a node of `down`; returns how many. */
  async #begin(state: DirectoryState, most: number, down: ReadonlySet<number | undefined>): Promise<number> {
    let begun = 0;
    for (const command of plannedMoves(state, this.#targetOf(state), down)) {
      if (begun < most && (await this.#propose(command))) begun += 1;
    }
    return begun;
  }

  #targetOf(state: DirectoryState): ReadonlyMap<number, readonly number[]> {
    const key = [state.members, state.replicas];
    if (this.#target === undefined || key.some((part, index) => part !== this.#target?.key[index])) {
      this.#target = { key, nodes: targetNodes(state) };
    }
    return this.#target.nodes;
  }

  /** Members that were to leave and have no replica any more are gone. */
  async #retire(state: DirectoryState): Promise<void> {
    const held = new Set(
      [...state.groups.values()].flatMap((record) => replicasIn(record).map(({ node }) => node)),
    );
    for (const { node, state: is } of state.members.values()) {
      if (is === "leaving" && !held.has(node)) await this.#propose({ kind: "retire", node });
    }
  }

  async #propose(command: DirectoryCommand): Promise<boolean> {
    try {
      return (await this.#options.directory.propose(command))?.kind === "done";
    } catch {
      return false;
    }
  }

  #any<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#options.runtime.random() * items.length)];
  }
}
