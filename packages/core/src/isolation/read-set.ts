/**
 * What a transaction has read: versions, each once, and ranges. Small sets are arrays that are searched, since most
 * transactions read a handful; a long one goes over to a hash set.
 */
import { appended, NONE } from "./growing-list.ts";
import type { RangeRead } from "./range-tracker.ts";
import type { Version } from "./version-chain.ts";

const SEARCHED_MAX = 16;
const FOUND_MAX = 4;

export class ReadSet<V> {
  versions: readonly Version<V>[] = NONE;
  ranges: RangeRead[] | undefined = undefined;
  #members: Set<Version<V>> | undefined = undefined;

  /** Whether `version` was new. */
  add(version: Version<V>): boolean {
    const { versions } = this;
    if (this.#members !== undefined) {
      if (this.#members.has(version)) return false;
      this.#members.add(version);
    } else {
      for (let i = 0; i < versions.length; i++) if (versions[i] === version) return false;
      if (versions.length === SEARCHED_MAX) this.#members = new Set(versions).add(version);
    }
    this.versions = appended(versions, version);
    return true;
  }

  /** The version of `key` that was read, if it is quickly found. */
  find(key: string): Version<V> | undefined {
    const { versions } = this;
    if (versions.length > FOUND_MAX) return undefined;
    for (let i = 0; i < versions.length; i++) {
      const version = versions[i]!;
      if (version.key === key) return version;
    }
    return undefined;
  }

  addRange(range: RangeRead): void {
    this.ranges ??= [];
    this.ranges.push(range);
  }
}
