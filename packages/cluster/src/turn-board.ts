/**
 * The turns that the transactions of one client, or of one node, wait for or have (`turns.ts`). Whoever has run without a turn and is about to commit at such a
 * key would be in the way of those, and they in his: he had better ask for one as well.
 */
import type { Footprint } from "./turns.ts";

export class TurnBoard {
  /** How many write the key. */
  readonly #written = new Map<string, number>();
  /** How many read it. */
  readonly #read = new Map<string, number>();

  add({ written, read }: Footprint): void {
    for (const key of written) count(this.#written, key, 1);
    for (const key of read) count(this.#read, key, 1);
  }

  remove({ written, read }: Footprint): void {
    for (const key of written) count(this.#written, key, -1);
    for (const key of read) count(this.#read, key, -1);
  }

  get isEmpty(): boolean {
    return this.#written.size === 0 && this.#read.size === 0;
  }

  /** How many want the key. */
  wanted(key: string): number {
    if (this.isEmpty) return 0;
    return (this.#written.get(key) ?? 0) + (this.#read.get(key) ?? 0);
  }

  /** Whether somebody is there who may not commit beside. */
  meets({ written, read }: Footprint): boolean {
    const isClaimed = (key: string) => this.#written.has(key);
    return read.some(isClaimed) || written.some((key) => isClaimed(key) || this.#read.has(key));
  }
}

function count(keys: Map<string, number>, key: string, by: number): void {
  const left = (keys.get(key) ?? 0) + by;
  if (left === 0) keys.delete(key);
  else keys.set(key, left);
}
