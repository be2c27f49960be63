// Bugs that a multi-version store with serializable snapshot isolation can have, planted in `@khonsu/core` one at a time.
// `pnpm mutants core` shows that the tests of core notice each.

import type { Mutant, MutantSuite } from "../src/mutants/mutant.ts";

const source = (file: string) => `packages/core/src/${file}`;

const dangerousStructureMutants: readonly Mutant[] = [
  {
    name: "no-pivot-check",
    description: "A pivot commits though somebody has read what it overwrites.",
    file: source("isolation/dangerous-structure.ts"),
    search: "danger: isPivot(writes, ranges, earliestOut) ? nearest : undefined",
    replace: "danger: undefined",
  },
  {
    name: "no-check-as-first",
    description:
      "A writer may commit although what it read was overwritten by a transaction with an out-conflict.",
    file: source("isolation/dangerous-structure.ts"),
    search: "if (overwriterOut !== 0) {",
    replace: "if (overwriterOut < 0) {",
  },
  {
    name: "readers-never-checked",
    description: "A read-only transaction commits whatever it has read.",
    file: source("isolation/dangerous-structure.ts"),
    search: "if (overwriterOut === 0 || overwriterOut > snapshot) return true;",
    replace: "if (overwriterOut >= 0) return true;",
  },
  {
    name: "reader-rule-excludes-its-snapshot",
    description:
      "A reader does not mind a third transaction whose commit is the last that its snapshot sees.",
    file: source("isolation/dangerous-structure.ts"),
    search: "overwriterOut > snapshot) return true;",
    replace: "overwriterOut >= snapshot) return true;",
  },
  {
    name: "reader-rule-forgotten",
    description: "A reader is refused for a third transaction that committed after its snapshot.",
    file: source("isolation/dangerous-structure.ts"),
    search: "if (overwriterOut === 0 || overwriterOut > snapshot) return true;",
    replace: "if (overwriterOut === 0) return true;",
  },
  {
    name: "stamp-compared-strictly",
    description: "A pivot overlooks that the third transaction itself has read what it overwrites.",
    file: source("isolation/dangerous-structure.ts"),
    search: "overwritten.readStamp >= earliestOut",
    replace: "overwritten.readStamp > earliestOut",
  },
  {
    name: "latest-out-conflict",
    description: "The latest of the out-conflicts is kept instead of the earliest.",
    file: source("isolation/dangerous-structure.ts"),
    search: "overwrittenAt < earliestOut",
    replace: "overwrittenAt > earliestOut",
  },
  {
    name: "inserts-are-no-writes",
    description: "A pivot overlooks that its insert falls into a range that was read.",
    file: source("isolation/dangerous-structure.ts"),
    search: "if (isInsert && ranges.wasReadSince(entry.key, earliestOut)) return true;",
    replace: "void isInsert;",
  },
  {
    name: "scans-see-no-inserts",
    description: "A scan does not count the keys that were inserted into its range.",
    file: source("isolation/dangerous-structure.ts"),
    search: "if (reads.ranges === undefined) return;",
    replace: "if (reads.ranges !== undefined) return;\n  if (reads.ranges === undefined) return;",
  },
];

const readsMutants: readonly Mutant[] = [
  {
    name: "read-stamps-forgotten",
    description: "Committed transactions leave no trace of the versions that they read.",
    file: source("isolation/transaction-manager.ts"),
    search: "if (version.readStamp < stamp) version.readStamp = stamp;",
    replace: "",
  },
  {
    name: "range-stamps-forgotten",
    description: "Committed transactions leave no trace of the ranges that they read.",
    file: source("isolation/transaction-manager.ts"),
    search: "for (const range of reads.ranges ?? []) this.ranges.recordRead(range, stamp);",
    replace: "",
  },
  {
    name: "readers-stamp-their-commit",
    description: "A read-only transaction leaves the time of its commit instead of its snapshot.",
    file: source("isolation/transaction-manager.ts"),
    search: "this.#leaveStamps(transaction, transaction.snapshot.timestamp);",
    replace: "this.#leaveStamps(transaction, this.#lastCommit);",
  },
  {
    name: "inserts-not-recorded",
    description: "An insert leaves no trace for those who have scanned its range.",
    file: source("isolation/transaction-manager.ts"),
    search: "this.ranges.recordInsert(entry.key, mark);",
    replace: "",
  },
  {
    name: "first-insert-overlooked",
    description: "A scan overlooks the first insert after its snapshot.",
    file: source("isolation/range-tracker.ts"),
    search: "if (mark.timestamp <= range.asOf) return;",
    replace: "if (mark.timestamp <= range.asOf + 1) return;",
  },
  {
    name: "insert-counted-too-early",
    description: "A scan counts an insert that its snapshot contains.",
    file: source("isolation/range-tracker.ts"),
    search: "if (mark.timestamp <= range.asOf) return;",
    replace: "if (mark.timestamp < range.asOf) return;",
  },
  {
    name: "inserts-pruned-too-early",
    description: "An insert is forgotten while a transaction that began just before it is open.",
    file: source("isolation/range-tracker.ts"),
    search: "inserts[old]!.mark.timestamp <= oldestSnapshot",
    replace: "inserts[old]!.mark.timestamp <= oldestSnapshot + 1",
  },
  {
    name: "range-reads-pruned-too-early",
    description: "A range read is forgotten while a transaction that began just before it is open.",
    file: source("isolation/range-tracker.ts"),
    search: "reads[old]!.stamp <= oldestSnapshot",
    replace: "reads[old]!.stamp <= oldestSnapshot + 1",
  },
  {
    name: "absent-keys-untracked",
    description: "Reading a key that is not there counts for nothing.",
    file: source("isolation/transaction-manager.ts"),
    search: "if (transaction.reads !== undefined) this.track(transaction, this.store.obtain(key).newest);",
    replace: "",
  },
  {
    name: "exhausted-scan-forgets-its-end",
    description: "A scan that found all counts only up to the last key that it found.",
    file: source("scan.ts"),
    search: "else Object.assign(seen, range);",
    replace: "",
  },
  {
    name: "limited-scan-claims-all",
    description: "A scan that was cut short counts as having read its whole range.",
    file: source("scan.ts"),
    search: "{ ...range, low: key } : { low: range.low, high: key, isHighIncluded: true };",
    replace: "range : range;",
  },
  {
    name: "tombstones-forgotten-early",
    description: "A deleted key is forgotten while somebody is open who could tell.",
    file: source("isolation/snapshot.ts"),
    search: "    if (newest === undefined) {\n      chain.retireAfter",
    replace: "    if (newest !== null) {\n      chain.retireAfter",
  },
];

const writesMutants: readonly Mutant[] = [
  {
    name: "no-first-committer",
    description: "A write overwrites what another has committed meanwhile.",
    file: source("isolation/write-validation.ts"),
    search: "touchedAt > transaction.snapshot.timestamp &&",
    replace: "touchedAt > Number.MAX_SAFE_INTEGER &&",
  },
  {
    name: "conflict-with-what-was-seen",
    description: "A write conflicts with the last commit that its own snapshot contains.",
    file: source("isolation/write-validation.ts"),
    search:
      "      const isConflict =\n        touchedAt > transaction.snapshot.timestamp &&\n        touchedAt > (entry",
    replace:
      "      const isConflict =\n        touchedAt >= transaction.snapshot.timestamp &&\n        touchedAt >= (entry",
  },
  {
    name: "resolved-conflict-not-validated",
    description: "Who resolved a write-write conflict does not check that what it read is current.",
    file: source("isolation/write-validation.ts"),
    search: 'if (hasResolved && transaction.level === "serializable") {',
    replace: 'if (hasResolved && transaction.level === "repeatable-read") {',
  },
  {
    name: "own-write-read-back",
    description: "A write that was read back is resolved like a blind one.",
    file: source("isolation/write-validation.ts"),
    search: 'const isObserved = entry.isReadBack && transaction.level === "serializable";',
    replace: "const isObserved = false;",
  },
  {
    name: "lost-update-under-read-committed",
    description: "Under read committed a write replaces whatever is there.",
    file: source("isolation/write-validation.ts"),
    search: "let baseline = transaction.lastReadAt?.get(key) ?? transaction.snapshot.timestamp;",
    replace: "let baseline = Number.MAX_SAFE_INTEGER as CommitTimestamp;",
  },
  {
    name: "baseline-moves",
    description: "Under read committed, reads after a write move what it may replace.",
    file: source("isolation/write-validation.ts"),
    search: "touchedAt > (entry.baseline ?? this.baseline(transaction, entry.key));",
    replace: "touchedAt > this.baseline(transaction, entry.key);",
  },
  {
    name: "ensure-protects-nothing",
    description: "A key that was ensured can be changed by a concurrent transaction.",
    file: source("isolation/write-validation.ts"),
    search: "    chain.ensuredAt = timestamp;\n",
    replace: "",
  },
  {
    name: "ensure-overlooked",
    description: "A key that was ensured after the snapshot counts as untouched.",
    file: source("isolation/write-validation.ts"),
    search: "    this.#lastEnsure = timestamp;\n",
    replace: "",
  },
  {
    name: "outdated-read-overwritten",
    description: "A write of a key whose version was read takes that version for the newest.",
    file: source("isolation/write-validation.ts"),
    search: "return read.overwrittenAt === 0 ? read : read.chain.newest;",
    replace: "return read;",
  },
  {
    name: "expectation-unchecked-at-commit",
    description: "Compare-and-set checks only when the write is made.",
    file: source("isolation/write-validation.ts"),
    search: "      checkExpectation(entry, newest);\n",
    replace: "",
  },
  {
    name: "ignored-write-installed",
    description: "A write that ignore dropped is installed.",
    file: source("isolation/write-validation.ts"),
    search: '    if (resolution.kind === "drop") return false;',
    replace:
      '    if (resolution.kind === "drop") entry.isDropped = false;\n    if (resolution.kind === "drop") return false;',
  },
  {
    name: "append-lets-deletes-win",
    description: "Under append, a delete wins over a concurrent write.",
    file: source("conflict-resolution.ts"),
    search: 'if (operation.kind !== "put") return { kind: "abort" };',
    replace: 'if (operation.kind !== "put") return write(undefined, false);',
  },
  {
    name: "installed-in-forgotten-chain",
    description: "A key that was read as absent is written to a chain that the store has forgotten.",
    file: source("isolation/transaction-manager.ts"),
    search: "known === undefined || (known.value === undefined && known.chain.isForgotten);",
    replace: "known === undefined;",
  },
  {
    name: "savepoint-keeps-replaced",
    description: "Rolling back to a savepoint does not restore what was written before it.",
    file: source("isolation/write-set.ts"),
    search: "        entries[index] = entry;\n      } else {",
    replace: "      } else {",
  },
  {
    name: "failed-branch-keeps-writes",
    description: "A nested transaction that fails leaves its writes.",
    file: source("scopes.ts"),
    search: "    state.undo(scope);",
    replace: "    state.leave(scope);",
  },
  {
    name: "commit-within-resolver",
    description: "A conflict resolver may commit another transaction.",
    file: source("isolation/write-validation.ts"),
    search: "if (this.#isResolving) throw commitWithinResolver();",
    replace: "",
  },
];

const snapshotsMutants: readonly Mutant[] = [
  {
    name: "snapshot-sees-the-next-commit",
    description: "A snapshot shows the commit after it.",
    file: source("isolation/transaction-manager.ts"),
    search: "newest.timestamp <= transaction.snapshot.timestamp)",
    replace: "newest.timestamp <= transaction.snapshot.timestamp + 1)",
  },
  {
    name: "collected-under-a-snapshot",
    description: "A version is collected although the newest snapshot was taken just when it was committed.",
    file: source("isolation/snapshot.ts"),
    search: "newest.timestamp < version.timestamp",
    replace: "newest.timestamp <= version.timestamp",
  },
  {
    name: "changed-under-a-reader",
    description: "A version that a transaction under read committed has read becomes the next one.",
    file: source("isolation/transaction-manager.ts"),
    search: "this.#readCommittedCount === 0 && this.snapshots.isUnseen(old)",
    replace: "this.snapshots.isUnseen(old)",
  },
  {
    name: "not-passed-to-older-snapshot",
    description: "A version is collected although an older snapshot was taken just when it was committed.",
    file: source("isolation/snapshot.ts"),
    search: "older.timestamp >= version.timestamp",
    replace: "older.timestamp > version.timestamp",
  },
  {
    name: "kept-too-long",
    description: "A version is kept for snapshots that do not see it.",
    file: source("isolation/snapshot.ts"),
    search: "older !== undefined && older.timestamp >= version.timestamp",
    replace: "older !== undefined",
  },
  {
    name: "absent-keys-stay",
    description: "Keys that came and went are never forgotten.",
    file: source("isolation/snapshot.ts"),
    search: "    chain.isForgotten = true;\n    this.#store.remove(chain);\n",
    replace: "",
  },
  {
    name: "unsafe-snapshot-not-marked",
    description: "A snapshot counts as safe though a pivot has committed.",
    file: source("isolation/transaction-manager.ts"),
    search: "if (mark.earliestOut !== 0) this.#markUnsafe(mark.earliestOut);",
    replace: "",
  },
  {
    name: "deferrable-does-not-wait",
    description: "A deferrable transaction does not wait for the writers under way.",
    file: source("isolation/transaction-manager.ts"),
    search: "if (this.#writers.oldest !== undefined) await",
    replace: "if (this.#sequence < 0) await",
  },
  {
    name: "safe-although-writers-run",
    description: "A read-only transaction is not tracked although writers are under way.",
    file: source("isolation/transaction-manager.ts"),
    search: '(level !== "serializable" || this.#writers.oldest === undefined)',
    replace: '(level !== "serializable" || this.#sequence >= 0)',
  },
];

const waitingMutants: readonly Mutant[] = [
  {
    name: "parked-without-looking",
    description: "A transaction parks although what it read has changed already.",
    file: source("isolation/transaction-manager.ts"),
    search: "this.isCurrent(transaction) ? this.#parking.park(transaction) : undefined",
    replace: "this.#parking.park(transaction)",
  },
  {
    name: "ranges-wake-nobody",
    description: "A change in a range wakes nobody who waits for the range.",
    file: source("isolation/parking.ts"),
    search: "if (scanner.ranges.some((range) => contains(range, chain.key))) scanner.wake();",
    replace: "",
  },
  {
    name: "keys-wake-nobody",
    description: "A change of a key wakes nobody who waits for the key.",
    file: source("isolation/parking.ts"),
    search: "if (chain.waiters !== undefined) for (const wake of chain.waiters) wake();",
    replace: "",
  },
  {
    name: "pins-kept",
    description: "A transaction that stopped to wait keeps absent keys.",
    file: source("isolation/parking.ts"),
    search: "      chain.pins--;\n",
    replace: "",
  },
];

const durabilityMutants: readonly Mutant[] = [
  {
    name: "acknowledged-before-durable",
    description: "A commit is acknowledged before it is on disk.",
    file: source("commit-log.ts"),
    search: "await this.#storage.write(group.records);",
    replace: "void this.#storage.write(group.records);",
  },
  {
    name: "reader-does-not-wait-for-disk",
    description: "A read-only commit does not wait until what it read is on disk.",
    file: source("store-host.ts"),
    search: "if (this.#publication.isDurable(timestamp)) return",
    replace: "if (state.writes.entries.length === 0 || this.#publication.isDurable(timestamp)) return",
  },
  {
    name: "history-keeps-old-keys",
    description: "A slot of the history keeps what it held beyond what the new commit wrote.",
    file: source("commit-history.ts"),
    search: "if (keys.length > count) {",
    replace: "if (keys.length > count && count === 0) {",
  },
  {
    name: "shown-before-durable",
    description: "A watch shows a commit that is not yet on disk.",
    file: source("publication.ts"),
    search: "    this.#unpublished.push({ timestamp, entries });",
    replace: "    this.#hub.publish(timestamp, entries);",
  },
  {
    name: "served-after-failure",
    description: "After a storage failure reads go on.",
    file: source("scoped-state.ts"),
    search: 'if (this.status === "open" && this.scope === scope && this.host.stopped === undefined) return;',
    replace: 'if (this.status === "open" && this.scope === scope) return;',
  },
];

const VITEST = "node_modules/.bin/vitest run --root packages/core --bail=1 --reporter=default";
const SLOW = ["arrow/**", "smallbank*", "interleavings*"].map((name) => `--exclude 'test/${name}'`).join(" ");

export const coreMutants: MutantSuite = {
  packages: ["core"],
  trial: {
    kind: "command",
    // The quick tests first; every interleaving only for what they do not notice.
    command: ["sh", "-c", `${VITEST} test ${SLOW} && ${VITEST} test/interleavings`],
    minutesMax: 10,
  },
  mutants: [
    ...dangerousStructureMutants,
    ...readsMutants,
    ...writesMutants,
    ...snapshotsMutants,
    ...waitingMutants,
    ...durabilityMutants,
  ],
};
