/** Telling what has to be waited for from what is there: a turn of the event loop costs as much as a small transaction. */

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
