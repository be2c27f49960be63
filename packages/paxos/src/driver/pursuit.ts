/**
 * One command of a `ReplicatedLog` on its way: proposed until it is applied, refused for good, or too late. It waits for the driver
 * itself, so that a command costs one promise.
 */
import type { Proposal } from "../entry.ts";
import type { Driver } from "./driver.ts";
import type { DriverClock } from "./interfaces.ts";
import { type Outcome, RefusedError, type Waiter } from "./waiting.ts";

/** The first pause before a command is proposed again, and the longest, in milliseconds; in between it doubles. */
const PAUSE_MS = { first: 5, longest: 200 };

export interface PursuitContext {
  readonly driver: Pick<Driver, "submit">;
  readonly clock: DriverClock;
  readonly random: () => number;
  readonly proposeMs: number;
  readonly isClosed: boolean;
  /** What ends the pauses, for a log that closes. */
  readonly pauses: Set<() => void>;
  /** The command has ended, one way or the other; called before its promise settles. */
  ended(sequence: number): void;
}

export class Pursuit implements Waiter<Outcome> {
  private readonly context: PursuitContext;
  private readonly proposal: Proposal;
  private readonly deadline: number;
  private readonly done: Waiter<unknown>;
  private pauseMs = PAUSE_MS.first;

  constructor(context: PursuitContext, proposal: Proposal, done: Waiter<unknown>) {
    this.context = context;
    this.proposal = proposal;
    this.deadline = context.clock.now() + context.proposeMs;
    this.done = done;
  }

  begin(): void {
    this.context.driver.submit(this.proposal, this);
  }

  resolve({ result }: Outcome): void {
    this.context.ended(this.proposal.sequence);
    this.done.resolve(result);
  }

  reject(error: Error): void {
    const { clock, isClosed } = this.context;
    const mayHelp = error instanceof RefusedError && error.retryable && !isClosed;
    if (mayHelp && clock.now() < this.deadline) {
      this.pause();
      return;
    }
    this.context.ended(this.proposal.sequence);
    this.done.reject(error);
  }

  /** Proposes again after a random time, or when the log is closed. */
  private pause(): void {
    const { clock, pauses, random } = this.context;
    const end = () => {
      pauses.delete(end);
      cancel();
      this.begin();
    };
    const cancel = clock.after(this.pauseMs * (0.1 + 0.9 * random()), end);
    pauses.add(end);
    this.pauseMs = Math.min(2 * this.pauseMs, PAUSE_MS.longest);
  }
}
