// The machine under a simulated node: its clocks and its disk outlive the processes that run on it. A process ends with a crash, at any
// effect of any of its groups, and stands still while it is paused, with everything that happens to it waiting.
//
// Invariant: nothing that a process began takes effect after its end, on its disk, on the network or on its own timers.

import type { Runtime } from "@khonsu/core";
import { NodeClock } from "../node-clock.ts";
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";

export class NodeMachine {
  readonly node: number;
  readonly scheduler: Scheduler;
  /** What time the machine believes it is; jumps. */
  readonly wall: NodeClock;
  /** What timers go by; never jumps, and drifts as the wall clock does. */
  readonly #monotonic: NodeClock;
  #pauses = 0;
  #process: NodeProcess | undefined;

  constructor(node: number, scheduler: Scheduler, skewUs: number) {
    this.node = node;
    this.scheduler = scheduler;
    this.wall = new NodeClock(scheduler, skewUs);
    this.#monotonic = new NodeClock(scheduler);
  }

  /** The process that runs now. */
  get process(): NodeProcess | undefined {
    return this.#process?.isOver === false ? this.#process : undefined;
  }

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  get monotonicMs(): number {
    return this.#monotonic.nowUs / 1000;
  }

  /** How long `milliseconds` by this machine's timers take, in virtual microseconds. */
  durationUs(milliseconds: number): number {
    return this.#monotonic.duration(milliseconds * 1000);
  }

  startProcess(random: Prng): NodeProcess {
    this.#pauses = 0;
    this.#process = new NodeProcess(this, random);
    return this.#process;
  }

  jump(byUs: number): void {
    this.wall.jump(byUs);
  }

  drift(driftPpm: number): void {
    this.wall.drift(driftPpm);
    this.#monotonic.drift(driftPpm);
  }

  /** Somebody sets the clock to the right time and rate. */
  setRight(): void {
    this.drift(0);
    this.wall.jump(this.scheduler.nowUs - this.wall.nowUs);
  }

  pause(): void {
    this.#pauses += 1;
  }

  resume(): void {
    this.#pauses = Math.max(0, this.#pauses - 1);
    if (this.#pauses === 0) this.process?.catchUp();
  }
}

export class NodeProcess implements Runtime {
  readonly #machine: NodeMachine;
  readonly #random: Prng;
  #isOver = false;
  #waiting: (() => void)[] = [];
  #effectsUntilEnd: number | undefined;
  #onLastEffect: () => void = () => {};

  constructor(machine: NodeMachine, random: Prng) {
    this.#machine = machine;
    this.#random = random;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
    this.#waiting = [];
  }

  /** Ends with the effect after the next `effects`; `onLastEffect` is to see to it. */
  endAfter(effects: number, onLastEffect: () => void): void {
    this.#effectsUntilEnd = effects;
    this.#onLastEffect = onLastEffect;
  }

  cancelEnd(): void {
    this.#effectsUntilEnd = undefined;
  }

  /** Counts an effect of a group. */
  countEffect(): void {
    if (this.#effectsUntilEnd === undefined || this.#isOver) return;
    this.#effectsUntilEnd -= 1;
    if (this.#effectsUntilEnd > 0) return;
    this.#effectsUntilEnd = undefined;
    this.#onLastEffect();
  }

  /** Something happens to the process: now, when its pause is over, or never if it is over. */
  run(action: () => void): void {
    if (this.#isOver) return;
    if (this.#machine.isPaused) this.#waiting.push(action);
    else action();
  }

  /** A pause is over: what waited happens, in order, each in a turn of its own. */
  catchUp(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const action of waiting) this.#machine.scheduler.after(0, () => this.run(action));
  }

  now(): number {
    return this.#machine.monotonicMs;
  }

  random(): number {
    return this.#random.fraction();
  }

  schedule(milliseconds: number, run: () => void): () => void {
    let isCancelled = false;
    const timer = this.#machine.scheduler.after(this.#machine.durationUs(milliseconds), () =>
      this.run(() => {
        if (!isCancelled) run();
      }),
    );
    return () => {
      isCancelled = true;
      timer.cancel();
    };
  }
}
