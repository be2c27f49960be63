// Rules of docs/spec/transactions.md dropped one at a time, from the shard, from the outcome table, or from the clients of the model.
// `pnpm mutants shard` shows that the randomised model of packages/cluster notices each.

import type { Mutant, MutantSuite } from "../src/mutants/mutant.ts";

const shard = (file: string) => `packages/cluster/src/shard/${file}`;
const model = (file: string) => `packages/cluster/test/model/${file}`;
const table = (file: string) => `packages/2pc/src/${file}`;

const certificationMutants: readonly Mutant[] = [
  {
    name: "tx-1-certified-twice",
    description: "A one-shard commit that comes again is certified again.",
    file: table("outcome-rules.ts"),
    search: '  committed: {\n    prepare: "answer",\n    commit: "answer",',
    replace: '  committed: {\n    prepare: "answer",\n    commit: "certify",',
  },
  {
    name: "tx-1-zombie-prepare",
    description: "A prepare that comes after the abort is certified.",
    file: table("outcome-rules.ts"),
    search: '  aborted: {\n    prepare: "answer",',
    replace: '  aborted: {\n    prepare: "certify",',
  },
  {
    name: "tx-3-snapshot-below-floor",
    description: "A snapshot below the floor is certified against what a replica has not purged.",
    file: shard("state-machine.ts"),
    search: "if (transaction.snapshot < this.versions.floor) {",
    replace: "if (transaction.snapshot < 0) {",
  },
  {
    name: "tx-3-purged-tombstones-count",
    description:
      "A tombstone that the floor has passed is told apart from nothing, by replicas that have not purged it.",
    file: shard("versions.ts"),
    search: "const isPassedTombstone = version.value === undefined && version.timestamp <= this.#floor;",
    replace: "const isPassedTombstone = version.timestamp > version.timestamp + this.#floor;",
  },
  {
    name: "tx-2-conflicts-not-in-checkpoint",
    description: "A restored replica works out anew which writes of a prepared transaction conflicted.",
    file: shard("state-machine.ts"),
    search: "      if (keys.length > 0) resolved.push({ id, keys });",
    replace: "      if (keys.length > 9) resolved.push({ id, keys });",
  },
  {
    name: "tx-4-no-limit",
    description: "Timestamps rise above the hard limit.",
    file: shard("certify.ts"),
    search: "return timestamp > TIMESTAMP_MAX ? undefined : (timestamp as CommitTimestamp);",
    replace: "return timestamp > 2 * TIMESTAMP_MAX ? undefined : (timestamp as CommitTimestamp);",
  },
  {
    name: "tx-5-point-reads",
    description: "Point reads are not certified.",
    file: shard("certify.ts"),
    search: "    if (versions.identity(key) !== version) {",
    replace: "    if (versions.identity(key) < 0 && version >= 0) {",
  },
  {
    name: "tx-5-range-reads",
    description: "Range reads are not certified.",
    file: shard("certify.ts"),
    search: "  for (const range of ranges) {",
    replace: "  for (const range of ranges.slice(ranges.length)) {",
  },
  {
    name: "tx-5-absent-keys",
    description: "A read of an absent key is not certified.",
    file: shard("certify.ts"),
    search: "    if (versions.identity(key) !== version) {",
    replace: "    if (version !== BEFORE_ANY && versions.identity(key) !== version) {",
  },
  {
    name: "tx-6-write-conflicts",
    description: "Writes are not compared with what they replace.",
    file: shard("certify.ts"),
    search: "return baseline !== undefined && versions.identity(key) !== baseline;",
    replace: "return baseline !== undefined && versions.identity(key) < 0;",
  },
  {
    name: "tx-6-since-snapshot",
    description: "Writes of keys that were not read are not compared with the snapshot.",
    file: shard("certify.ts"),
    search: "(versions.newest(key)?.timestamp ?? BEFORE_ANY) > snapshot;",
    replace: "(versions.newest(key)?.timestamp ?? BEFORE_ANY) > snapshot + 2 ** 52;",
  },
  {
    name: "tx-26-read-back",
    description: "A write that was read back is resolved as if it were blind.",
    file: shard("certify.ts"),
    search: 'const isSeen = isolation === "serializable" && readBack.includes(key);',
    replace: 'const isSeen = isolation !== "serializable" && readBack.includes("");',
  },
  {
    name: "tx-9-no-vote-forgotten",
    description: "A no is not recorded, so that a repeated request may be certified.",
    file: table("outcome-table.ts"),
    search:
      '    this.#put({ state: "aborted", id, reason: { kind: "vote", participant: this.self, reason } });\n    return this.#answer(id);',
    replace:
      '    return { status: { kind: "aborted", reason: { kind: "vote", participant: this.self, reason } }, change: { kind: "none" } };',
  },
  {
    name: "tx-10-expired-certified",
    description: "An expired id is certified.",
    file: table("outcome-rules.ts"),
    search: '  expired: {\n    prepare: "answer",\n    commit: "answer",',
    replace: '  expired: {\n    prepare: "certify",\n    commit: "certify",',
  },
];

const lockMutants: readonly Mutant[] = [
  {
    name: "tx-7-write-write",
    description: "A write does not meet the write of a prepared transaction.",
    file: shard("lock-table.ts"),
    search: "const holder = this.writerOf(key) ?? this.#readerOf(key) ?? this.#scannerOf(key);",
    replace: "const holder = this.#readerOf(key) ?? this.#scannerOf(key);",
  },
  {
    name: "tx-7-write-read",
    description: "A write does not meet the read of a prepared transaction.",
    file: shard("lock-table.ts"),
    search: "const holder = this.writerOf(key) ?? this.#readerOf(key) ?? this.#scannerOf(key);",
    replace: "const holder = this.writerOf(key) ?? this.#scannerOf(key);",
  },
  {
    name: "tx-7-write-range",
    description: "A write does not meet the range of a prepared transaction.",
    file: shard("lock-table.ts"),
    search: "    return least(locks.map(({ holder }) => holder));",
    replace: "    return least(locks.slice(locks.length).map(({ holder }) => holder));",
  },
  {
    name: "tx-7-read-write",
    description: "A read does not meet the write of a prepared transaction.",
    file: shard("lock-table.ts"),
    search: "    for (const { key } of reads) {\n      const holder",
    replace: "    for (const { key } of reads.slice(reads.length)) {\n      const holder",
  },
  {
    name: "tx-7-range-write",
    description: "A range does not meet the write of a prepared transaction.",
    file: shard("lock-table.ts"),
    search: "    for (const range of ranges) {\n      const holder",
    replace: "    for (const range of ranges.slice(ranges.length)) {\n      const holder",
  },
  {
    name: "tx-7-order-of-holders",
    description:
      "Of several holders the one that came first is named, which a restored replica does not know.",
    file: shard("lock-table.ts"),
    search: "if (first === undefined || compareTransactionIds(id, first) < 0) first = id;",
    replace: "if (first === undefined || compareTransactionIds(id, id) < 0) first = id;",
  },
];

const timestampMutants: readonly Mutant[] = [
  {
    name: "tx-8-not-above-snapshot",
    description: "A commit may stand at or below its snapshot.",
    file: shard("certify.ts"),
    search: "Math.max(proposed, snapshot + 1, observed + 1, clock + 1)",
    replace: "Math.max(proposed, snapshot - snapshot, observed + 1, clock + 1)",
    also: [
      {
        file: model("client.ts"),
        search: "    this.#observed = Math.max(snapshot, this.#session.observed) as CommitTimestamp;",
        replace: "    this.#observed = this.#session.observed;",
      },
    ],
  },
  {
    name: "tx-8-not-above-observed",
    description: "A commit may stand at or below what its session has seen.",
    file: shard("certify.ts"),
    search: "Math.max(proposed, snapshot + 1, observed + 1, clock + 1)",
    replace: "Math.max(proposed, snapshot + 1, observed - observed, clock + 1)",
  },
  {
    name: "tx-8-not-above-clock",
    description: "A commit may stand at or below the clock of the shard, where reads have been served.",
    file: shard("certify.ts"),
    search: "Math.max(proposed, snapshot + 1, observed + 1, clock + 1)",
    replace: "Math.max(proposed, snapshot + 1, observed + 1, clock - clock)",
  },
  {
    name: "tx-11-decide-leaves-clock",
    description: "A decision does not raise the clock.",
    file: shard("state-machine.ts"),
    search: "    this.#raiseClock(timestamp);\n    return { timestamp, installs };",
    replace: "    return { timestamp, installs };",
  },
  {
    name: "tx-11-timestamp-of-one",
    description: "The commit timestamp is home's alone.",
    file: shard("state-machine.ts"),
    search: "votes === undefined ? own : mergeCommitments(own, votes)",
    replace: "votes === undefined ? own : mergeCommitments(own, own)",
  },
  {
    name: "tx-11-timestamp-of-one-unasserted",
    description: "The same, with the participant's assertion off.",
    file: shard("state-machine.ts"),
    search: "votes === undefined ? own : mergeCommitments(own, votes)",
    replace: "votes === undefined ? own : mergeCommitments(own, own)",
    also: [
      {
        file: shard("state-machine.ts"),
        search: "    if (!isPossible) {",
        replace: "    if (!isPossible && timestamp < 0) {",
      },
    ],
  },
  {
    name: "tx-11-only-read-skipped",
    description: "A shard that was only read is no participant.",
    file: model("client.ts"),
    search: "      ? [...this.#reads.keys(), ...this.#ranges.keys(), ...writes.keys()]",
    replace:
      "      ? [...(writes.size === 0 ? [...this.#reads.keys(), ...this.#ranges.keys()] : []), ...writes.keys()]",
  },
  {
    name: "tx-27-scanned-skipped",
    description: "A shard that was only scanned is no participant.",
    file: model("client.ts"),
    search: "      ? [...this.#reads.keys(), ...this.#ranges.keys(), ...writes.keys()]",
    replace:
      "      ? [...this.#reads.keys(), ...(writes.size === 0 ? this.#ranges.keys() : []), ...writes.keys()]",
  },
];

const decisionMutants: readonly Mutant[] = [
  {
    name: "tx-12-outcome-overwritten",
    description: "A commit is taken where the abort is recorded.",
    file: table("outcome-rules.ts"),
    search: '  aborted: {\n    prepare: "answer",\n    commit: "answer",',
    replace: '  aborted: {\n    prepare: "answer",\n    commit: "certify",',
  },
  {
    name: "tx-12-abort-leaves-nothing",
    description: "An abort of what is unknown leaves no trace, and the prepare comes later.",
    file: table("outcome-rules.ts"),
    search:
      '    decideAborted: "settle",\n    decideExpired: "answer",\n    acknowledge: "answer",\n  },\n  expired',
    replace:
      '    decideAborted: "answer",\n    decideExpired: "answer",\n    acknowledge: "answer",\n  },\n  expired',
  },
  {
    name: "tx-13-told-before-decided",
    description: "The client is told what was proposed at home rather than what home's log holds.",
    file: model("coordinator.ts"),
    search: "  const status = isUnanimous\n",
    replace:
      '  hear(isUnanimous ? { kind: "committed", value: votes.reduce(mergeCommitments) } : { kind: "aborted", reason: { kind: "timeout" } });\n  const status = isUnanimous\n',
  },
  {
    name: "tx-13-not-applied-by-vote",
    description: "The client is told that nothing was applied as soon as a vote is missing.",
    file: model("coordinator.ts"),
    search: "  if (random.chance(4)) return;\n  const isUnanimous = votes.length === others.length;",
    replace:
      '  const isUnanimous = votes.length === others.length;\n  if (!isUnanimous) hear({ kind: "aborted", reason: { kind: "timeout" } });\n  if (random.chance(4)) return;',
  },
  {
    name: "tx-14-decided-elsewhere",
    description: "Participants are sent what the coordinator has decided, before home has.",
    file: model("coordinator.ts"),
    search: "  const status = isUnanimous\n",
    replace:
      '  if (isUnanimous) for (const other of others) world.send(other, { kind: "decide", id, outcome: { kind: "committed", value: votes.reduce(mergeCommitments) } });\n  const status = isUnanimous\n',
  },
  {
    name: "tx-15-unknown-believed",
    description:
      "Who finds a transaction in doubt believes that home knows nothing, without writing the abort there.",
    file: model("recovery.ts"),
    search: "  yield* spread(world, id, shard);\n}",
    replace:
      '  if (before === "unknown" && shard !== id.home) world.send(shard, { kind: "decide", id, outcome: ABORT });\n  yield* spread(world, id, shard);\n}',
  },
  {
    name: "tx-15-prepared-aborted-elsewhere",
    description: "Who finds a transaction in doubt aborts it where it is, without home.",
    file: model("recovery.ts"),
    search: "  yield* spread(world, id, shard);\n}",
    replace:
      '  if (before === "prepared" && shard !== id.home) world.send(shard, { kind: "decide", id, outcome: ABORT });\n  yield* spread(world, id, shard);\n}',
  },
];

const retentionMutants: readonly Mutant[] = [
  {
    name: "tx-16-forgotten-by-age",
    description: "Outcomes go without the floor having passed them.",
    file: table("outcome-table.ts"),
    search: "this.#settled.deleteUpTo(floor)",
    replace: "this.#settled.deleteUpTo(Number.MAX_SAFE_INTEGER)",
  },
  {
    name: "tx-16-forgotten-once-acknowledged",
    description: "Home forgets a commit as soon as all participants have applied it.",
    file: table("outcome-table.ts"),
    search: "    if (unacknowledged.length === 0 && id.birth <= this.#floor) this.#unfinished.delete(id);",
    replace: "    if (unacknowledged.length === 0) this.#unfinished.delete(id);",
  },
  {
    name: "tx-17-not-retained",
    description: "Home does not keep a commit for participants that have yet to apply it.",
    file: table("outcome-table.ts"),
    search: "const unacknowledged = participants.filter((other) => other !== this.self);",
    replace: "const unacknowledged = participants.filter((other) => other < 0);",
  },
];

const readMutants: readonly Mutant[] = [
  {
    name: "tx-20-later-version-stands",
    description:
      "What is read at a shard's clock stands at the snapshot, whatever was written between the two.",
    file: "packages/cluster/src/first-reads.ts",
    search: "version > 0 && version <= snapshot",
    replace: "version > 0 && snapshot > 0",
  },
  {
    name: "tx-18-behind",
    description: "A replica serves a read that its clock has not reached.",
    file: shard("read.ts"),
    search: '  if (clock < timestamp) return { kind: "behind", clock };',
    replace: '  if (clock < 0) return { kind: "behind", clock };',
  },
  {
    name: "tx-18-below-floor",
    description: "A read below the floor is served from what is left.",
    file: shard("read.ts"),
    search: "  if (timestamp < versions.floor) return",
    replace: "  if (timestamp < 0) return",
  },
  {
    name: "tx-18-prepared-skipped",
    description: "A read does not wait for what is prepared at or below it.",
    file: shard("read.ts"),
    search: "prepared.timestamp <= timestamp && !isHarmlessAt(",
    replace: "prepared.timestamp < 0 && !isHarmlessAt(",
  },
  {
    name: "tx-18-prepared-at-read",
    description: "A read does not wait for what is prepared exactly at it.",
    file: shard("read.ts"),
    search: "prepared.timestamp <= timestamp && !isHarmlessAt(",
    replace: "prepared.timestamp < timestamp && !isHarmlessAt(",
  },
  {
    name: "tx-18-absent-keys",
    description: "A read does not wait for what is prepared on a key that is not there yet.",
    file: shard("read.ts"),
    search: "    if (holder !== undefined) add(holder);",
    replace: "    if (holder !== undefined && shard.versions.newest(key)?.value !== undefined) add(holder);",
  },
  {
    name: "tx-18-ranges",
    description: "A range read does not wait for what is prepared in the range.",
    file: shard("read.ts"),
    search: "for (const range of ranges) for (const holder of shard.locks.writersIn(range)) add(holder);",
    replace:
      "for (const range of ranges) for (const holder of shard.locks.writersIn(range)) if (keys.length > 0) add(holder);",
  },
  {
    name: "tx-18-undecided-is-harmless",
    description: "A read passes over what home has not decided.",
    file: shard("in-the-way.ts"),
    search: 'return answer?.kind === "aborted" || (answer?.kind === "committed"',
    replace:
      'return answer?.kind === "aborted" || answer?.kind === "prepared" || answer?.kind === "unknown" || (answer?.kind === "committed"',
  },
  {
    name: "tx-18-committed-is-harmless",
    description: "A read passes over what is committed at or below it.",
    file: shard("in-the-way.ts"),
    search: "answer.value.timestamp > timestamp);",
    replace: "answer.value.timestamp > 0);",
  },
  {
    name: "tx-18-expired-is-harmless",
    description: "A read passes over what home has forgotten.",
    file: shard("in-the-way.ts"),
    search: 'return answer?.kind === "aborted" || (answer?.kind === "committed"',
    replace:
      'return answer?.kind === "aborted" || answer?.kind === "expired" || (answer?.kind === "committed"',
  },
  {
    name: "tx-18-covered",
    description: "A scan that was cut short is certified only up to the key before its last.",
    file: shard("read.ts"),
    search: ": { low: range.low, high: last, isHighIncluded: true };",
    replace: ": { low: range.low, high: last, isHighIncluded: false };",
  },
  {
    name: "tx-18-covered-reverse",
    description: "A reverse scan that was cut short is certified as if it had gone forwards.",
    file: shard("read.ts"),
    search: "? { ...range, low: last }",
    replace: "? { low: range.low, high: last, isHighIncluded: true }",
  },
  {
    name: "tx-22-prepared",
    description: "A read of the newest by one request passes over what is prepared.",
    file: shard("in-the-way.ts"),
    search: 'return answer?.kind === "aborted" || answer?.kind === "prepared" || answer?.kind === "unknown";',
    replace: 'return answer?.kind !== "committed";',
  },
  {
    name: "tx-24-committed-skipped",
    description: "Under read committed, a read does not wait for what is committed at home.",
    file: shard("in-the-way.ts"),
    search: 'return answer?.kind === "aborted" || answer?.kind === "prepared" || answer?.kind === "unknown";',
    replace: "return answer !== undefined;",
  },
  {
    name: "tx-24-asked-too-early",
    description: "Under read committed, what home said before the read began is believed.",
    file: model("reader.ts"),
    search: "class HomeAnswers {\n  readonly #answers = new Map<string, ShardStatus>();",
    replace:
      "const everything = new WeakMap<object, Map<string, ShardStatus>>();\nclass HomeAnswers {\n  #answers = new Map<string, ShardStatus>();",
    also: [
      {
        file: model("reader.ts"),
        search: "    for (const id of holders) {\n      yield;",
        replace:
          "    this.#answers = everything.get(world) ?? this.#answers;\n    everything.set(world, this.#answers);\n    for (const id of holders) {\n      if (this.#answers.has(formatTransactionId(id))) continue;\n      yield;",
      },
    ],
  },
  {
    name: "tx-25-baseline-from-snapshot",
    description:
      "Under read committed, what a write replaces is not what was read but what is there at commit.",
    file: model("client.ts"),
    search: "    if (known !== undefined) return known;",
    replace:
      "    if (known !== undefined) return newestIdentities(this.#world.shards[shard]!.leader, [key])[0]!.version;",
  },
];

const readerMutants: readonly Mutant[] = [
  {
    name: "tx-21-not-validated",
    description: "A strict read-only transaction is not validated.",
    file: model("reader.ts"),
    search: "    if (newer !== undefined) return newer;",
    replace: "    if (newer !== undefined && newer < 0) return newer;",
  },
  {
    name: "tx-21-validated-at-follower",
    description: "Validation runs on a replica that has not applied up to a new read index.",
    file: model("reader.ts"),
    search: "    const { leader } = world.shards[shard]!;\n    const result = validate(leader,",
    replace: "    const { follower } = world.shards[shard]!;\n    const result = validate(follower,",
  },
  {
    name: "tx-21-point-reads",
    description: "Validation does not look at point reads.",
    file: shard("validate.ts"),
    search: "reads.every(({ key, version }) => versions.identity(key) === version)",
    replace: "reads.every(({ key, version }) => versions.identity(key) >= 0 && version >= 0)",
  },
  {
    name: "tx-21-range-reads",
    description: "Validation does not look at ranges.",
    file: shard("validate.ts"),
    search: "versions.newerIn(range, snapshot) === undefined);",
    replace: "versions.newerIn(range, snapshot) !== null);",
  },
  {
    name: "tx-21-prepared",
    description: "Validation passes over what is prepared.",
    file: shard("validate.ts"),
    search: 'return holders.length > 0 ? { kind: "blocked", holders } : { kind: "valid" };',
    replace: 'return holders.length > 99 ? { kind: "blocked", holders } : { kind: "valid" };',
  },
  {
    name: "tx-21-committed-is-harmless",
    description: "Validation passes over what home has committed and is not installed yet.",
    file: shard("in-the-way.ts"),
    search: 'return answer?.kind === "aborted" || (timestamp > snapshot && isHarmlessToNewest(answer));',
    replace: "return answer !== undefined && (timestamp > snapshot || snapshot >= 0);",
  },
];

export const shardMutants: MutantSuite = {
  packages: ["cluster", "2pc", "core", "testkit", "paxos"],
  trial: {
    kind: "command",
    command: ["node", "packages/cluster/test/model/main.ts", "--histories", "60000"],
    minutesMax: 4,
  },
  mutants: [
    ...certificationMutants,
    ...lockMutants,
    ...timestampMutants,
    ...decisionMutants,
    ...retentionMutants,
    ...readMutants,
    ...readerMutants,
  ],
};
