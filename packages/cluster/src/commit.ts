/**
 * The commit of a transaction of the cluster: what each shard is asked to certify, and what the decision means to the client.
 * A read-only transaction validates instead.
 */

import type { TransactionId } from "@khonsu/2pc";
import type { ConflictDetail, ConflictResolver, WriteConflict } from "@khonsu/core";
import { toBatch, toRecordBatch } from "@khonsu/core/values";
import type { RecordBatch } from "apache-arrow";
import type { ClusterState } from "./cluster-state.ts";
import type { CommitResult } from "./coordinator-driver.ts";
import { ClusterError, type ClusterErrorCode } from "./errors.ts";
import type { CommitAttempt, SessionHost } from "./session-host.ts";
import type { Refusal } from "./shard/refusal.ts";
import {
  type Baseline,
  byCodeUnits,
  type Commitment,
  type ShardTransaction,
  type Write,
} from "./shard/transaction.ts";
import { applyIntent, mergeBy, namedResolution, toOperation, type WriteIntent } from "./write-buffer.ts";

/** Certifies what a transaction without writes has read: behind a read index at every shard that it read. */
export async function commitReadOnly(tx: ClusterState): Promise<void> {
  const { snapshot, reads, host } = tx;
  if (tx.consistency === "snapshot") return;
  const isExempt = reads.requests <= 1 && (tx.isFresh || reads.requests === 0);
  if (tx.isolation !== "serializable" || snapshot === undefined || isExempt) return;
  const answers = await Promise.all(
    reads
      .shards()
      .map((shard) =>
        host.shards.ask(shard, { kind: "validate", validation: reads.validationOf(shard, snapshot) }),
      ),
  );
  for (const answer of answers) {
    if (answer.kind !== "outdated") continue;
    tx.observe(answer.clock);
  }
  if (answers.some(({ kind }) => kind === "outdated")) {
    const message = "Cannot commit: something that was read has changed before the last read";
    throw new ClusterError("KHONSU_SERIALIZATION_FAILURE", message, { retryable: true });
  }
}

/**
 * Commits a transaction with writes; resolver functions may take it more than one round.
 *
 * @param attempt is told what is sent and not answered yet.
 */
export async function commitWrites(
  tx: ClusterState,
  session: SessionHost,
  attempt: CommitAttempt,
): Promise<Commitment> {
  for (;;) {
    const requests = await shardTransactions(tx);
    // Nobody waits any more: what has not been sent is not.
    if (attempt.isAbandoned) throw new Error("The commit was abandoned");
    const home = homeOf(tx, requests, session);
    const id: TransactionId = { birth: session.clock.next(), random: session.randomId(), home };
    attempt.pending = id;
    const result = await session.coordinator.commit(id, requests);
    if (result.kind === "committed") return result.value;
    if (result.kind === "aborted") attempt.pending = undefined;
    const refusal = refusalIn(result);
    if (refusal?.kind === "conflict") tx.observe(refusal.clock);
    const isResolved = refusal !== undefined && (await resolveByFunction(tx, refusal));
    tx.hasConflicted = refusal?.kind === "conflict" || refusal?.kind === "busy";
    if (!isResolved) throw toError(id, result, refusal);
  }
}

/** What each participant certifies: all that were written, and under serializable all that were read. */
async function shardTransactions(tx: ClusterState): Promise<Map<number, ShardTransaction>> {
  const { clock, shards } = tx.host;
  const { placement } = shards;
  const isSerializable = tx.isolation === "serializable";
  const byShard = new Map<number, WriteIntent[]>();
  for (const shard of isSerializable ? tx.reads.shards() : []) byShard.set(shard, []);
  for (const intent of tx.writes.values()) {
    const shard = placement.shardOf(intent.key);
    byShard.set(shard, [...(byShard.get(shard) ?? []), intent]);
  }
  const proposed = clock.next();
  // Who has read nothing may take its snapshot now.
  const snapshot =
    tx.snapshot ?? (tx.isolation === "read-committed" && tx.reads.requests > 0 ? tx.observed : proposed);
  const requests = new Map<number, ShardTransaction>();
  for (const [shard, intents] of byShard) {
    const writes = await Promise.all(intents.map((intent) => toWrite(tx, intent, shard)));
    writes.sort((a, b) => byCodeUnits(a.key, b.key));
    requests.set(shard, {
      isolation: tx.isolation,
      snapshot,
      proposed,
      observed: tx.observed,
      reads: isSerializable ? tx.reads.readsOf(shard) : [],
      ranges: isSerializable ? tx.reads.rangesOf(shard) : [],
      writes,
      readBack: writes.map(({ key }) => key).filter((key) => tx.writes.get(key)?.isReadBack === true),
    });
  }
  return requests;
}

async function toWrite(tx: ClusterState, intent: WriteIntent, shard: number): Promise<Write> {
  const { key, policy, expected } = intent;
  return {
    key,
    operation: toOperation(intent.intent),
    onConflict: namedResolution(policy.onConflict),
    baseline: expected ?? (await baselineOf(tx, intent, shard)),
    mergeBy: mergeBy(policy),
    isConditional: expected !== undefined,
  };
}

/**
 * TX-25: the version that was read, or what the snapshot has. A transaction that has neither began, for all that anybody can tell, when
 * it is applied, and replaces what is there then; a resolution that asks what was there before is given what there is now.
 */
async function baselineOf(tx: ClusterState, write: WriteIntent, shard: number): Promise<Baseline> {
  const { key, intent, policy } = write;
  if (tx.snapshot === undefined && intent.kind === "merge") return undefined;
  const seen = tx.reads.get(key);
  if (seen !== undefined) return seen.version;
  if (tx.snapshot !== undefined) return "snapshot";
  const isIndifferent = policy.onConflict === "fail" || policy.onConflict === "replace";
  return isIndifferent ? undefined : tx.newestIdentity(shard, key);
}

/**
 * Home is the shard of the key that most others want, since nothing is held there; of those the first that is written, in order of keys as they were written;
 * else one that was read.
 */
function homeOf(tx: ClusterState, requests: ReadonlyMap<number, unknown>, session: SessionHost): number {
  const { placement } = session.shards;
  let [home, most] = [Math.min(...requests.keys()), -1];
  for (const { key } of tx.writes.values()) {
    const wanted = session.turnBoard.wanted(key);
    if (wanted > most) [home, most] = [placement.shardOf(key), wanted];
  }
  return home;
}

function refusalIn(result: CommitResult): Refusal | undefined {
  if (result.kind !== "aborted") return undefined;
  const { reason } = result;
  return reason.kind === "vote" || reason.kind === "refused" ? reason.reason : undefined;
}

/**
 * Asks the resolver function of the write that conflicted, with what is committed now; its answer goes out under a new id,
 * with that version as the one that it replaces.
 */
async function resolveByFunction(tx: ClusterState, refusal: Refusal): Promise<boolean> {
  if (refusal.kind !== "conflict" || refusal.conflict !== "write-write") return false;
  const { key, committedAt } = refusal;
  const write = tx.writes.get(key);
  if (write === undefined || typeof write.policy.onConflict !== "function") return false;
  if (tx.isolation === "serializable" && (write.isReadBack || tx.reads.get(key) !== undefined)) return false;
  const committed = await tx.readNewest(key);
  const mine = applyIntent(write.intent, undefined, key);
  const answer = askResolver(write.policy.onConflict, {
    key,
    committed: committed.value === undefined ? undefined : toBatch(committed.value),
    committedAt,
    mine: mine === undefined ? undefined : toBatch(mine),
    operation: write.intent.kind === "put" ? "write" : write.intent.kind === "merge" ? "append" : "delete",
  });
  if (answer === "abort") return false;
  if (answer === "drop") drop(tx, key);
  else {
    tx.writes.set({ ...write, intent: { kind: "put", value: answer } });
    tx.reads.addKey(key, committed);
  }
  return true;
}

function drop(tx: ClusterState, key: string): void {
  tx.writes.drop(key);
  tx.ignoredKeys = [...tx.ignoredKeys, key];
}

function askResolver(resolver: ConflictResolver, conflict: WriteConflict): RecordBatch | "drop" | "abort" {
  try {
    const answer = resolver(conflict);
    return answer === "drop" || answer === "abort" ? answer : toRecordBatch(answer);
  } catch (cause) {
    const name = JSON.stringify(conflict.key);
    const message = `Cannot commit: the conflict resolver of ${name} threw, or gave neither a batch nor "drop" nor "abort"`;
    const conflicts: ConflictDetail[] = [{ kind: "write-write", key: conflict.key }];
    throw new ClusterError("KHONSU_RESOLVER_FAILED", message, { cause, conflicts });
  }
}

const CONFLICT_CODES = {
  "write-write": "KHONSU_WRITE_CONFLICT",
  "read-write": "KHONSU_SERIALIZATION_FAILURE",
  phantom: "KHONSU_SERIALIZATION_FAILURE",
  version: "KHONSU_VERSION_MISMATCH",
} as const;

function toError(
  id: TransactionId,
  result: Exclude<CommitResult, { kind: "committed" }>,
  refusal: Refusal | undefined,
): ClusterError {
  if (result.kind === "inDoubt") {
    return new ClusterError("KHONSU_IN_DOUBT", "The commit may still take effect", { transactionId: id });
  }
  if (result.kind === "expired") {
    return new ClusterError("KHONSU_OUTCOME_EXPIRED", "Whether the commit took effect is no longer known", {
      transactionId: id,
    });
  }
  if (refusal === undefined) {
    const message = `Cannot commit: ${result.reason.kind}; nothing was applied`;
    return new ClusterError("KHONSU_UNAVAILABLE", message, { retryable: true, transactionId: id });
  }
  const { code, message, isRetryable } = describe(refusal);
  const key = refusal.kind === "conflict" ? refusal.key : undefined;
  const conflicts: ConflictDetail[] = refusal.kind === "conflict" ? [{ kind: refusal.conflict, key }] : [];
  return new ClusterError(code, message, { retryable: isRetryable, conflicts, transactionId: id });
}

function describe(refusal: Refusal): { code: ClusterErrorCode; message: string; isRetryable: boolean } {
  switch (refusal.kind) {
    case "conflict":
      return {
        code: CONFLICT_CODES[refusal.conflict],
        message: `Cannot commit: ${JSON.stringify(refusal.key)} was committed meanwhile, at ${refusal.committedAt}`,
        isRetryable: refusal.conflict !== "version",
      };
    case "busy":
      return {
        code: "KHONSU_WRITE_CONFLICT",
        message: "Cannot commit: another transaction is about to commit what this one needs",
        isRetryable: true,
      };
    case "snapshot-too-old":
      return {
        code: "KHONSU_SNAPSHOT_TOO_OLD",
        message: `Cannot commit: the snapshot is below ${refusal.floor}`,
        isRetryable: true,
      };
    case "timestamp-limit":
      return {
        code: "KHONSU_TIMESTAMP_LIMIT",
        message: "Cannot commit: timestamps have come to the limit",
        isRetryable: false,
      };
    case "unmergeable":
      return {
        code: refusal.code,
        message: `Cannot commit: the rows for ${JSON.stringify(refusal.key)} do not fit the committed ones`,
        isRetryable: false,
      };
  }
}
