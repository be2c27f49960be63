/** What the small driver needs of the world around it. Everything outside comes in through these, so a test can own it. */
import type { Envelope } from "../message.ts";
import type { Slot } from "../slot.ts";

export interface DriverClock {
  /** Milliseconds from any origin; never goes back, and goes on while the process is paused. */
  now(): number;
  /** Calls `callback` once after about `milliseconds`; returns what cancels that. */
  after(milliseconds: number, callback: () => void): () => void;
}

export interface DriverTransport {
  /** Sends, or drops: delivery is up to the network. Must not call back into the driver before it returns. */
  send(envelope: Envelope): void;
}

/** The application. All three are synchronous and deterministic. */
export interface StateMachine {
  /** Applies a command and returns what the one who proposed it is answered. Called once per slot and run, in slot order. */
  apply(slot: Slot, command: Uint8Array): unknown;
  /**
   * An image of the state as it is now, in pieces. The driver takes one piece in a turn of the event loop, so that a large image holds
   * nothing else up; what is applied before the last one is taken must not show in it.
   */
  save(): Iterable<Uint8Array>;
  /** Replaces the state by an image, its pieces joined. */
  restore(image: Uint8Array): void;
}
