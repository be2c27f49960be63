/**
 * What must hold by timestamps, whatever the isolation: the versions of each key, rebuilt from the commits alone, against what
 * was read. For repeatable read and read committed this is the whole oracle (snapshot isolation: one snapshot, first committer
 * wins; read committed: nothing dirty, nothing stale, no lost update).
 */
import { TIMESTAMP_MAX } from "@khonsu/core/isolation";
import { type Observation, Violation } from "./observation.ts";

interface WrittenVersion {
  readonly timestamp: number;
  readonly value: string;
  readonly by: Observation | undefined;
}

const FIRST: WrittenVersion = { timestamp: 0, value: "", by: undefined };

export class VersionsOracle {
  readonly #committed: readonly Observation[];

  constructor(observations: readonly Observation[]) {
    this.#committed = observations
      .filter(({ timestamp }) => timestamp !== undefined)
      .sort((a, b) => a.timestamp! - b.timestamp!);
  }

  check(): void {
    for (const seen of this.#committed) {
      if (seen.timestamp! > TIMESTAMP_MAX) throw new Violation(`T${seen.name} is above the hard limit`);
      if (seen.isolation === "read-committed") this.#checkReadCommitted(seen);
      else this.#checkSnapshot(seen);
      this.#checkSession(seen);
      if (seen.isolation === "repeatable-read" && !seen.isBlind) this.#checkFirstCommitterWins(seen);
    }
  }

  /** The versions of a key in order. A put that would append may have done either; what was read of it decides. */
  #versions(key: string): WrittenVersion[] {
    const versions = [FIRST];
    for (const seen of this.#committed) {
      const kind = seen.writes.get(key);
      if (kind === undefined || seen.ignored.includes(key)) continue;
      const { timestamp, value: before } = versions.at(-1)!;
      if (seen.timestamp === timestamp) throw new Violation(`two versions of ${key} at ${timestamp}`);
      const own = String(seen.name);
      const appended = before === "" ? own : `${before} ${own}`;
      const value = kind === "ensure" ? before : kind === "delete" ? "" : kind === "merge" ? appended : own;
      const isAppended = kind === "put or append" && this.#wasSeen(key, appended);
      versions.push({ timestamp: seen.timestamp!, value: isAppended ? appended : value, by: seen });
    }
    return versions;
  }

  /** Whether anybody has read this value of the key, or a longer one. */
  #wasSeen(key: string, value: string): boolean {
    return this.#committed.some(({ reads }) =>
      reads.some((read) => read.key === key && (read.value === value || read.value.startsWith(`${value} `))),
    );
  }

  /** It reads at or above whatever its session was told before; a read of the newest has no need to. */
  #checkSession(seen: Observation): void {
    if (seen.kind === "single-shard reader") return;
    for (const before of this.#committed) {
      const isBefore =
        before.session === seen.session && before.told === "committed" && before.end < seen.begin;
      if (isBefore && before.timestamp! > seen.snapshot) {
        throw new Violation(`T${seen.name} reads at ${seen.snapshot}, below T${before.name} of its session`);
      }
    }
  }

  /** Everything is read as of the snapshot, and written above it. */
  #checkSnapshot(seen: Observation): void {
    if (seen.kind === "writer" && seen.timestamp! <= seen.snapshot) {
      throw new Violation(
        `T${seen.name} commits at ${seen.timestamp}, not above its snapshot ${seen.snapshot}`,
      );
    }
    for (const { key, value } of seen.reads) {
      const visible = this.#versions(key).findLast(({ timestamp }) => timestamp <= seen.snapshot)!;
      if (visible.value !== value) {
        throw new Violation(
          `T${seen.name} read [${value}] of ${key} at ${seen.snapshot}, where it was [${visible.value}]`,
        );
      }
    }
  }

  /** Nobody else has written between its snapshot and its commit what it writes and would not have resolved. */
  #checkFirstCommitterWins(seen: Observation): void {
    for (const [key, kind] of seen.writes) {
      if (kind !== "put" && kind !== "delete" && kind !== "ensure") continue;
      const between = this.#versions(key).find(
        ({ timestamp }) => timestamp > seen.snapshot && timestamp < seen.timestamp!,
      );
      if (between !== undefined)
        throw new Violation(`T${seen.name} overwrites T${between.by?.name} on ${key}`);
    }
  }

  #checkReadCommitted(seen: Observation): void {
    for (const { key, value, step } of seen.reads) {
      const versions = this.#versions(key);
      const candidates = versions.filter((version) => version.value === value);
      if (candidates.length === 0)
        throw new Violation(`T${seen.name} read [${value}] of ${key}, which nobody committed`);
      // What was acknowledged before the read was asked for is seen by it, or what came after it.
      const acknowledged = versions.findLast(
        ({ by }) => by !== undefined && by.told === "committed" && by.end < step,
      );
      const newest = candidates.at(-1)!.timestamp;
      if (acknowledged !== undefined && newest < acknowledged.timestamp) {
        throw new Violation(
          `T${seen.name} read [${value}] of ${key} after T${acknowledged.by!.name} was acknowledged`,
        );
      }
      this.#checkLostUpdate(seen, key, versions, candidates);
    }
  }

  /** What it wrote over is what it had read. */
  #checkLostUpdate(
    seen: Observation,
    key: string,
    versions: readonly WrittenVersion[],
    candidates: readonly WrittenVersion[],
  ): void {
    const kind = seen.writes.get(key);
    const at = versions.findIndex(({ by }) => by === seen);
    if (at < 1 || (kind !== "put" && kind !== "delete" && kind !== "ensure")) return;
    if (!candidates.includes(versions[at - 1]!))
      throw new Violation(`T${seen.name} loses an update of ${key}`);
  }
}
