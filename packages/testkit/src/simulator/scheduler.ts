// Virtual time: a queue of events in one thread, run in the order of their time and, at equal times, in the order in which they
// were scheduled. Nothing else decides what happens next, so equal seeds give equal runs.
//
// Invariants: time never goes back; an event runs at exactly its time; ties run first come, first served.

/** A scheduled event; `cancel` makes it a no-op. */
export interface Timer {
  cancel(): void;
}

class ScheduledEvent implements Timer {
  readonly atUs: number;
  readonly sequence: number;
  action: (() => void) | undefined;

  constructor(atUs: number, sequence: number, action: () => void) {
    this.atUs = atUs;
    this.sequence = sequence;
    this.action = action;
  }

  cancel(): void {
    this.action = undefined;
  }
}

/** The virtual clock and event queue of one simulation. Times are whole microseconds since its start. */
export class Scheduler {
  #nowUs = 0;
  #sequence = 0;
  #steps = 0;
  readonly #heap: ScheduledEvent[] = [];

  get nowUs(): number {
    return this.#nowUs;
  }

  /** How many events have run. */
  get steps(): number {
    return this.#steps;
  }

  /** Runs `action` at `atUs`, or as soon as the present events have run if that time has passed. */
  at(atUs: number, action: () => void): Timer {
    if (!Number.isFinite(atUs)) throw new RangeError(`Cannot schedule an event: time is ${atUs}`);
    const event = new ScheduledEvent(Math.max(this.#nowUs, Math.round(atUs)), this.#sequence, action);
    this.#sequence += 1;
    this.#push(event);
    return event;
  }

  /** Runs `action` after `delayUs`. */
  after(delayUs: number, action: () => void): Timer {
    return this.at(this.#nowUs + delayUs, action);
  }

  /** Runs the next event. False when none is due up to `limitUs`; time then stands at the limit. */
  step(limitUs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atUs > limitUs) {
        if (Number.isFinite(limitUs)) this.#nowUs = Math.max(this.#nowUs, limitUs);
        return false;
      }
      this.#pop();
      if (next.action === undefined) continue;
      this.#nowUs = next.atUs;
      this.#steps += 1;
      next.action();
      return true;
    }
  }

  /** Runs all events up to `limitUs`, or until `done` holds after one of them. True when `done` held. */
  runUntil(limitUs: number, done: () => boolean = () => false): boolean {
    while (this.step(limitUs)) if (done()) return true;
    return false;
  }

  /**
   * As `runUntil`, for code that awaits promises: before each event every continuation that can run has run. Such code is
   * deterministic as long as promises are the only thing that it waits for besides this scheduler.
   */
  async runUntilAsync(limitUs: number, done: () => boolean = () => false): Promise<boolean> {
    await settled();
    while (this.step(limitUs)) {
      await settled();
      if (done()) return true;
    }
    return false;
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as ScheduledEvent;
      if (!isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as ScheduledEvent;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as ScheduledEvent)) child += 1;
      const below = heap[child] as ScheduledEvent;
      if (!isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: ScheduledEvent, other: ScheduledEvent): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.sequence < other.sequence);
}

/** Resolves once all promise continuations that can run have run: a macrotask comes after the whole queue of microtasks. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
