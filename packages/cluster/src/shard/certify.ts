/**
 * Certification (TX-5 to TX-8): a verdict on a transaction from the applied state alone, so that every replica reaches the
 * same. Reads must be of what is still newest, writes replace what they were based on or resolve the conflict, and nothing
 * that another prepared transaction holds is touched.
 */
import { BEFORE_ANY, type CommitTimestamp, TIMESTAMP_MAX } from "@khonsu/core/isolation";
import type { LockTable } from "./lock-table.ts";
import type { Refusal } from "./refusal.ts";
import { RowError, ShardValue } from "./shard-value.ts";
import type { ShardTransaction, Write } from "./transaction.ts";
import type { Versions } from "./versions.ts";

/** What becomes of a key when the transaction commits. */
export interface Install {
  readonly key: string;
  /** Undefined: the key is deleted. */
  readonly value: ShardValue | undefined;
  /** False for an `ensure`: a new version of the same value. */
  readonly isChange: boolean;
}

export interface Certified {
  readonly kind: "certified";
  readonly installs: readonly Install[];
  /** Keys where somebody else's version was found, and the conflict was resolved. Rising. */
  readonly conflicts: readonly string[];
  /** Those of them whose writes were dropped. Rising. */
  readonly ignored: readonly string[];
}

export interface CertifyContext {
  readonly versions: Versions;
  readonly locks: LockTable;
  readonly clock: CommitTimestamp;
}

/** TX-8: above everything that the transaction, its session and the shard have seen. Undefined above the hard limit (TX-4). */
export function assignTimestamp(
  { proposed, snapshot, observed }: ShardTransaction,
  clock: CommitTimestamp,
): CommitTimestamp | undefined {
  const timestamp = Math.max(proposed, snapshot + 1, observed + 1, clock + 1);
  return timestamp > TIMESTAMP_MAX ? undefined : (timestamp as CommitTimestamp);
}

/** TX-5 to TX-7, in this order. */
export function certify(transaction: ShardTransaction, context: CertifyContext): Certified | Refusal {
  const outdated = transaction.isolation === "serializable" ? outdatedRead(transaction, context) : undefined;
  if (outdated !== undefined) return outdated;
  const conflicts: string[] = [];
  for (const write of transaction.writes) {
    if (!isConflicting(write, transaction.snapshot, context.versions)) continue;
    const refusal = refuseConflict(transaction, write, context);
    if (refusal !== undefined) return refusal;
    conflicts.push(write.key);
  }
  const verdict = resolveWrites(transaction, conflicts, context.versions);
  if (verdict.kind !== "certified") return verdict;
  const obstacle = context.locks.obstacleTo(transaction);
  return obstacle === undefined ? verdict : { kind: "busy", ...obstacle };
}

/** TX-5. */
function outdatedRead(
  { reads, ranges, snapshot }: ShardTransaction,
  context: CertifyContext,
): Refusal | undefined {
  const { versions } = context;
  for (const { key, version } of reads) {
    if (versions.identity(key) !== version) {
      return conflict(version === BEFORE_ANY ? "phantom" : "read-write", key, context);
    }
  }
  for (const range of ranges) {
    const newer = versions.newerIn(range, snapshot);
    if (newer !== undefined) return conflict("phantom", newer.key, context);
  }
  return undefined;
}

/**
 * TX-6: by identity, or by what is newer than the snapshot; never by a clock. Whoever asks for a key to be absent asks for no
 * version, not for a certain deletion.
 */
function isConflicting(
  { key, baseline, isConditional }: Write,
  snapshot: CommitTimestamp,
  versions: Versions,
): boolean {
  if (baseline === "snapshot") return (versions.newest(key)?.timestamp ?? BEFORE_ANY) > snapshot;
  if (isConditional && baseline === BEFORE_ANY) return versions.newest(key)?.value !== undefined;
  return baseline !== undefined && versions.identity(key) !== baseline;
}

/** Why a write–write conflict cannot be resolved as the write says, if it cannot. */
function refuseConflict(
  { isolation, readBack }: ShardTransaction,
  { key, onConflict, operation, isConditional }: Write,
  context: CertifyContext,
): Refusal | undefined {
  if (isConditional) return conflict("version", key, context);
  // A delete has no rows to merge, and what is ensured is what was there.
  const isUnresolvable =
    operation.kind === "ensure" || (operation.kind === "delete" && onConflict === "append");
  // A blind operation may be ordered after the other. That the key was not read before it was written has been certified
  // with the reads, which are current; that it was not read back afterwards is for here.
  const isSeen = isolation === "serializable" && readBack.includes(key);
  return onConflict === "fail" || isUnresolvable || isSeen
    ? conflict("write-write", key, context)
    : undefined;
}

/**
 * What the writes come to, given where they conflict. Also run when a prepared transaction comes out of a checkpoint:
 * the values under it are still the same, while which versions conflict can no longer be told once the floor has passed.
 */
export function resolveWrites(
  { writes }: ShardTransaction,
  conflicts: readonly string[],
  versions: Versions,
): Certified | Extract<Refusal, { kind: "unmergeable" }> {
  const installs: Install[] = [];
  const ignored: string[] = [];
  for (const write of writes) {
    const { key, operation } = write;
    const isConflict = conflicts.includes(key);
    if (isConflict && write.onConflict === "ignore") {
      ignored.push(key);
      continue;
    }
    try {
      const value = resultOf(write, isConflict, versions.newest(key)?.value);
      installs.push({ key, value, isChange: operation.kind !== "ensure" });
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return { kind: "unmergeable", key, code: error.cause.code };
    }
  }
  return { kind: "certified", installs, conflicts, ignored };
}

function resultOf(
  { key, operation, onConflict, mergeBy }: Write,
  isConflict: boolean,
  base: ShardValue | undefined,
): ShardValue | undefined {
  switch (operation.kind) {
    case "delete":
      return undefined;
    // The same value anew, so that it conflicts with other writes of the key as any write does.
    case "ensure":
      return base;
    case "merge":
      return operation.steps.reduce<ShardValue | undefined>((value, { rows, keyColumn }) => {
        const by = keyColumn === undefined ? undefined : { keyColumn, isRequired: true };
        return ShardValue.merge(value, rows, by, key);
      }, base);
    case "put":
      return isConflict && onConflict === "append"
        ? ShardValue.merge(base, operation.value, mergeBy, key)
        : ShardValue.of(operation.value);
  }
}

function conflict(
  kind: Extract<Refusal, { kind: "conflict" }>["conflict"],
  key: string,
  { versions, clock }: CertifyContext,
): Refusal {
  return { kind: "conflict", conflict: kind, key, committedAt: versions.identity(key), clock };
}
