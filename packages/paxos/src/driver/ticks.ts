/**
 * The time of a driver: ticks at whole multiples of their length on the clock, so that all replicas of a node have theirs in one turn of the
 * event loop: what they say then travels together. The first is never shorter than the others, since a lease may be waited out by
 * ticks (PX-18).
 */
import type { DriverClock } from "./interfaces.ts";

export class Ticks {
  private readonly clock: DriverClock;
  private readonly milliseconds: number;
  private readonly onTick: () => void;
  /** When the last one that was taken came. */
  private takenAt: number;
  private cancel: () => void = () => {};
  private stopped = false;

  /** @param onTick called when one has come; whoever is called takes it. Not before `start`, nor after `stop`. */
  constructor(clock: DriverClock, milliseconds: number, onTick: () => void) {
    this.clock = clock;
    this.milliseconds = milliseconds;
    this.onTick = onTick;
    this.takenAt = Math.ceil(clock.now() / milliseconds) * milliseconds;
  }

  start(): void {
    if (this.stopped) return;
    const next = this.takenAt + this.milliseconds - this.clock.now();
    // Timers count whole milliseconds: one that is early would have to be set again. The turn may have taken longer than a tick.
    this.cancel = this.clock.after(Math.max(0, Math.ceil(next)), () => {
      if (this.stopped) return;
      this.onTick();
      this.start();
    });
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  /** How many have come since the last call: more than one if the process was paused. */
  take(): number {
    const ticks = Math.floor((this.clock.now() - this.takenAt) / this.milliseconds);
    if (ticks <= 0) return 0;
    this.takenAt += ticks * this.milliseconds;
    return ticks;
  }
}
