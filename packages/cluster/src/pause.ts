/** Waiting, by the clock of the runtime. */
import type { Runtime } from "@khonsu/core";

export function pause(runtime: Runtime, milliseconds: number): Promise<void> {
  return new Promise((resolve) => runtime.schedule(milliseconds, resolve));
}

/** A random time up to `milliseconds`, at least a tenth of it: what many wait for at once, they do not all do at once. */
export function jittered(runtime: Runtime, milliseconds: number): number {
  return milliseconds * (0.1 + 0.9 * runtime.random());
}

/** What `promise` gives, or `otherwise()` after `milliseconds`; `promise` is then left to itself. */
export function within<T>(
  runtime: Runtime,
  milliseconds: number,
  promise: Promise<T>,
  otherwise: () => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = runtime.schedule(milliseconds, () => {
      try {
        resolve(otherwise());
      } catch (error) {
        reject(error);
      }
    });
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}
