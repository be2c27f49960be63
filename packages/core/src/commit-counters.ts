/** How transactions have ended since the store was opened. */
import { isKhonsuError } from "./errors.ts";
import { CommitConflict } from "./isolation/commit-conflict.ts";
import type { Stats } from "./stats.ts";

export class CommitCounters {
  commits = 0;
  readOnlyCommits = 0;
  rollbacks = 0;
  retries = 0;
  #writeWrite = 0;
  #serialization = 0;
  #version = 0;

  /** A commit was refused, for `error`. */
  refused(error: unknown): void {
    this.rollbacks++;
    if (error instanceof CommitConflict) {
      if (error.code === "KHONSU_WRITE_CONFLICT") this.#writeWrite++;
      else this.#serialization++;
    } else if (isKhonsuError(error, "KHONSU_VERSION_MISMATCH")) {
      this.#version++;
    }
  }

  read(): Pick<Stats, "commits" | "readOnlyCommits" | "rollbacks" | "retries" | "conflicts"> {
    const { commits, readOnlyCommits, rollbacks, retries } = this;
    const conflicts = {
      writeWrite: this.#writeWrite,
      serialization: this.#serialization,
      version: this.#version,
    };
    return { commits, readOnlyCommits, rollbacks, retries, conflicts };
  }
}
