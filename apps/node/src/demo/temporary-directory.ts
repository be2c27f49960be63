/** A directory that is gone at the end of its scope, also where the process is asked to end before. */
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export class TemporaryDirectory implements Disposable {
  readonly path: string;

  constructor(prefix: string) {
    this.path = mkdtempSync(join(tmpdir(), prefix));
    process.once("exit", this.#remove);
    for (const signal of SIGNALS) process.once(signal, exitBy);
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#remove);
    for (const signal of SIGNALS) process.off(signal, exitBy);
    this.#remove();
  }

  readonly #remove = (): void => rmSync(this.path, { recursive: true, force: true });
}

/** Ends the process as the signal would, but with its exit listeners. */
function exitBy(signal: (typeof SIGNALS)[number]): never {
  process.exit(128 + constants.signals[signal]);
}
