/** A directory that is gone at the end of its scope, also where the process is asked to end before. */
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export class TemporaryDirectory implements Disposable {
  readonly path: string;

  constructor(prefix: string) {
    this.path = mkdtempSync(join(tmpdir(), prefix));
    for (const signal of SIGNALS) process.once(signal, this.#end);
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#end);
    this.#remove();
  }

  readonly #end = (signal: (typeof SIGNALS)[number]): never => {
    this.#remove();
    process.exit(128 + constants.signals[signal]);
  };

  #remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
