/** Who waits for an answer of the driver: reads, a transfer, a membership change; proposals are in `outcomes.ts`. */
import type { Refusal, RefusalCode } from "../errors.ts";
import type { ReplicaId } from "../replica-id.ts";
import type { Slot } from "../slot.ts";

/** Something asked for was not done. `code` says why, `retryable` whether asking again can help, `leader` where. */
export class RefusedError extends Error {
  override readonly name: string = "RefusedError";
  readonly code: RefusalCode;
  readonly retryable: boolean;
  readonly leader: ReplicaId | undefined;

  constructor({ code, retryable, leader, message }: Refusal) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.leader = leader;
  }
}

/** Where a proposal was applied. */
export interface Outcome {
  readonly slot: Slot;
  /** What the state machine returned; undefined when the proposal was found to have been applied before. */
  readonly result: unknown;
}

export interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class Waiting<K, T> {
  private readonly waiters = new Map<K, Waiter<T>[]>();

  wait(key: K): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const others = this.waiters.get(key);
      if (others === undefined) this.waiters.set(key, [{ resolve, reject }]);
      else others.push({ resolve, reject });
    });
  }

  resolve(key: K, value: T): void {
    for (const waiter of this.take(key)) waiter.resolve(value);
  }

  reject(key: K, error: Error): void {
    for (const waiter of this.take(key)) waiter.reject(error);
  }

  resolveAll(value: T): void {
    for (const key of [...this.waiters.keys()]) this.resolve(key, value);
  }

  rejectAll(error: Error): void {
    for (const key of [...this.waiters.keys()]) this.reject(key, error);
  }

  private take(key: K): Waiter<T>[] {
    const waiters = this.waiters.get(key) ?? [];
    this.waiters.delete(key);
    return waiters;
  }
}
