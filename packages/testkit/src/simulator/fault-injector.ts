// Carries out the faults of a plan on a running system, which it knows only as nodes that crash, pause, keep disks and read clocks.
// Every fault that lasts leaves behind how to undo it, so that a liveness phase can heal all of them at once.

import type { Disk } from "./disk.ts";
import { describeFault, type Fault, type FaultEvent, type Victim } from "./fault.ts";
import type { Network, NodeName } from "./network.ts";
import type { NodeClock } from "./node-clock.ts";
import { linksOf, partitionLinks } from "./partition.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** The side of a disk that faults act on. */
export type FaultyDisk = Pick<
  Disk<unknown>,
  "slowDown" | "stall" | "resume" | "failWrites" | "keys" | "rot" | "misdirect" | "makeUnreadable" | "wipe"
>;

/** What a target lets the injector do. */
export interface FaultSurface {
  readonly scheduler: Scheduler;
  readonly network: Network<unknown>;
  readonly trace: Trace;
  /** All nodes, members or not. */
  readonly nodes: readonly NodeName[];
  /** The node that leads now, as far as an outsider can tell. */
  leader(): NodeName | undefined;
  disk(node: NodeName): FaultyDisk;
  clock(node: NodeName): Pick<NodeClock, "jump" | "drift">;
  isDown(node: NodeName): boolean;
  /** Stops the node after `afterEffects` more effects, at once for 0, and calls `stopped` then. */
  crash(node: NodeName, afterEffects: number, stopped: () => void): void;
  /** Takes back a crash that has not happened yet. */
  cancelCrash(node: NodeName): void;
  restart(node: NodeName): void;
  pause(node: NodeName): void;
  resume(node: NodeName): void;
  /** Whether a disk record may be damaged now: the fault atlas says so, and nothing else speaks against it. */
  mayDamage(node: NodeName, key: string): boolean;
  /** The node that may lose its disk now, if any. */
  wipeable(): NodeName | undefined;
  /** Takes note that a node lost its disk. */
  wiped(node: NodeName): void;
  /** Carries out a fault of the target's own. False when there was nothing to do. */
  targetFault(name: string, victim: NodeName, argument: number): boolean;
}

export class FaultInjector {
  /** How many faults of each kind took place. */
  readonly counts: Record<string, number> = {};
  readonly #surface: FaultSurface;
  readonly #prng: Prng;
  readonly #undo = new Set<() => void>();
  #stopped = false;

  constructor(surface: FaultSurface, prng: Prng) {
    this.#surface = surface;
    this.#prng = prng;
  }

  schedule(events: readonly FaultEvent[]): void {
    for (const { atUs, fault } of events) {
      this.#surface.scheduler.at(atUs, () => {
        if (!this.#stopped) this.#inject(fault);
      });
    }
  }

  /** Undoes all that lasts, restarts what is down, and injects no more. */
  healAll(): void {
    this.#stopped = true;
    for (const undo of [...this.#undo]) undo();
    for (const node of this.#surface.nodes) {
      this.#surface.cancelCrash(node);
      if (this.#surface.isDown(node)) this.#surface.restart(node);
    }
  }

  #inject(fault: Fault): void {
    const { scheduler, trace } = this.#surface;
    trace.add(scheduler.nowUs, undefined, () => describeFault(fault));
    if (this.#carryOut(fault)) this.#count(fault.kind === "target" ? fault.name : fault.kind);
  }

  #count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  /** False when the fault had nothing to act on. */
  #carryOut(fault: Fault): boolean {
    const { network, nodes } = this.#surface;
    switch (fault.kind) {
      case "network":
        return this.#lasting(fault.durationUs, network.setQuality(fault.quality));
      case "partition":
        return this.#lasting(fault.durationUs, network.block(this.#partition(fault)));
      case "swizzle":
        return this.#swizzle(fault);
      case "crash-all":
        return nodes.map((node) => this.#crash(node, 0, fault.downUs)).some(Boolean);
      case "wipe":
        return this.#wipe(fault.downUs);
      case "clog": {
        const victim = this.#resolve(fault.victim);
        return this.#lasting(fault.durationUs, network.clog(linksOf(victim, nodes)));
      }
      case "clock": {
        const clock = this.#surface.clock(this.#resolve(fault.victim));
        clock.jump(fault.jumpUs);
        clock.drift(fault.driftPpm);
        return true;
      }
      case "crash":
        return this.#crash(this.#resolve(fault.victim), fault.afterEffects, fault.downUs);
      case "damage":
        return this.#crash(this.#resolve(fault.victim), 0, fault.downUs, (node) => this.#damage(node, fault));
      case "pause":
        return this.#pause(this.#resolve(fault.victim), fault.durationUs);
      case "disk-slow":
      case "disk-stall":
      case "disk-error":
        return this.#disturbDisk(this.#resolve(fault.victim), fault);
      case "target":
        return this.#surface.targetFault(fault.name, this.#resolve(fault.victim), fault.argument);
    }
  }

  #resolve(victim: Victim): NodeName {
    const { nodes } = this.#surface;
    if (victim !== "@leader" && victim !== "@follower") return victim;
    const leader = this.#surface.leader();
    if (victim === "@leader") return leader ?? this.#prng.pick(nodes);
    const followers = nodes.filter((node) => node !== leader);
    return this.#prng.pick(followers.length > 0 ? followers : nodes);
  }

  #partition(fault: Extract<Fault, { kind: "partition" }>) {
    const named: NodeName[] = [];
    for (const victim of fault.order) {
      const node = this.#resolve(victim);
      if (!named.includes(node)) named.push(node);
    }
    const rest = this.#surface.nodes.filter((node) => !named.includes(node));
    return partitionLinks(fault.shape, [...named, ...rest], this.#prng);
  }

  #swizzle({ order, releaseOrder, gapUs }: Extract<Fault, { kind: "swizzle" }>): boolean {
    const { network, nodes, scheduler } = this.#surface;
    order.forEach((node, position) => {
      const release = (releaseOrder.indexOf(node) + order.length + 1 - position) * gapUs;
      scheduler.after(position * gapUs, () => {
        if (!this.#stopped) this.#lasting(release, network.clog(linksOf(node, nodes)));
      });
    });
    return order.length > 0;
  }

  #crash(
    node: NodeName,
    afterEffects: number,
    downUs: number,
    whileDown?: (node: NodeName) => void,
  ): boolean {
    const { scheduler, trace } = this.#surface;
    if (this.#surface.isDown(node)) return false;
    this.#surface.crash(node, afterEffects, () => {
      trace.add(scheduler.nowUs, node, "crashed");
      whileDown?.(node);
      scheduler.after(downUs, () => {
        if (!this.#stopped && this.#surface.isDown(node)) this.#surface.restart(node);
      });
    });
    return true;
  }

  #wipe(downUs: number): boolean {
    const node = this.#surface.wipeable();
    if (node === undefined) return false;
    return this.#crash(node, 0, downUs, () => {
      this.#surface.disk(node).wipe();
      this.#surface.wiped(node);
    });
  }

  #pause(node: NodeName, durationUs: number): boolean {
    if (this.#surface.isDown(node)) return false;
    this.#surface.pause(node);
    return this.#lasting(durationUs, () => this.#surface.resume(node));
  }

  #disturbDisk(
    node: NodeName,
    fault: Extract<Fault, { kind: "disk-slow" | "disk-stall" | "disk-error" }>,
  ): boolean {
    const disk = this.#surface.disk(node);
    if (fault.kind === "disk-slow") {
      disk.slowDown(fault.factor);
      return this.#lasting(fault.durationUs, () => disk.slowDown(1));
    }
    if (fault.kind === "disk-stall") {
      disk.stall();
      return this.#lasting(fault.durationUs, () => disk.resume());
    }
    disk.failWrites(fault.error);
    return this.#lasting(fault.durationUs, () => disk.failWrites(undefined));
  }

  #damage(node: NodeName, { how, count }: Extract<Fault, { kind: "damage" }>): void {
    const { scheduler, trace } = this.#surface;
    const disk = this.#surface.disk(node);
    const allowed = disk.keys().filter((key) => this.#surface.mayDamage(node, key));
    for (const key of this.#prng.shuffled(allowed).slice(0, count)) {
      trace.add(scheduler.nowUs, node, () => `${how} ${key}`);
      if (how === "rot") disk.rot(key);
      else if (how === "unreadable") disk.makeUnreadable(key);
      else disk.misdirect(key, this.#prng.pick(disk.keys()));
      this.#count(`damage:${how}`);
    }
  }

  /** Undoes something after `durationUs`, or when everything heals. */
  #lasting(durationUs: number, undo: () => void): boolean {
    const undoOnce = () => {
      if (this.#undo.delete(undoOnce)) undo();
    };
    this.#undo.add(undoOnce);
    this.#surface.scheduler.after(durationUs, undoOnce);
    return true;
  }
}
