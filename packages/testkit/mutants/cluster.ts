// The rules of docs/spec/transactions.md that the product's own code keeps, dropped one at a time under the whole runtime: `pnpm mutants
// cluster` shows which of them the simulation of a cluster notices. The model of `pnpm mutants shard`, which runs many more and much
// smaller histories, notices each; what clients must do is dropped there from the model's own clients.

import type { Mutant, MutantSuite } from "../src/mutants/mutant.ts";
import { shardMutants } from "./shard.ts";

const ofProduct = (file: string) => /^packages\/[^/]+\/src\//.test(file);

/** The profile whose histories bring a rule into play, by the beginning of the mutant's name; the first that fits. */
const PROFILES: readonly (readonly [prefix: string, profile: string])[] = [
  ["tx-1-", "doubt"],
  ["tx-2-", "resolved"],
  ["tx-3-", "floors"],
  ["tx-4-", "limit"],
  ["tx-5-range-reads", "ranges"],
  ["tx-5-absent-keys", "contended"],
  ["tx-5-", "skew"],
  ["tx-6-", "snapshot"],
  ["tx-7-write-write", "contended"],
  ["tx-7-read-write", "gaps"],
  ["tx-7-write-range", "ranges"],
  ["tx-7-range-write", "ranges"],
  ["tx-7-", "skew"],
  ["tx-8-not-above-observed", "readers"],
  ["tx-9-", "doubt"],
  ["tx-10-", "forgetful"],
  ["tx-11-", "clocks"],
  ["tx-12-", "doubt"],
  ["tx-16-", "forgetful"],
  ["tx-17-", "forgetful"],
  ["tx-18-below-floor", "aged"],
  ["tx-18-covered", "ranges"],
  ["tx-18-behind", "weak"],
  ["tx-18-expired", "forgetful"],
  ["tx-18-", "readers"],
  ["tx-21-prepared", "gaps"],
  ["tx-21-committed", "gaps"],
  ["tx-21-", "readers"],
  ["tx-22-", "committed"],
  ["tx-24-", "committed"],
  ["tx-26-", "resolved"],
];

const cluster = (file: string) => `packages/cluster/src/${file}`;

/**
 * Rules that the product keeps in two places, so that dropping one of them changes nothing: what else has to go. A replica that reads at a
 * timestamp notes of a home's answers only those that are harmless by themselves, and validation gives up where home has committed.
 */
const KEPT_TWICE: Readonly<Record<string, Mutant["also"]>> = {
  "tx-18-undecided-is-harmless": [
    {
      file: cluster("shard-replica.ts"),
      search: "if (isOpen && isNewest) return answers.note(id, status);",
      replace: "if (isOpen) return answers.note(id, status);",
    },
  ],
  "tx-18-committed-is-harmless": [
    {
      file: cluster("shard-replica.ts"),
      search: 'status.kind === "aborted" || (status.kind === "committed" && status.value.timestamp > at)',
      replace: 'status.kind === "aborted" || status.kind === "committed"',
    },
  ],
  "tx-18-expired-is-harmless": [
    {
      file: cluster("shard-replica.ts"),
      search: 'status.kind === "aborted" || (status.kind === "committed" && status.value.timestamp > at)',
      replace: 'status.kind !== "prepared" && status.kind !== "unknown" && status.kind !== "committed"',
    },
  ],
  "tx-21-committed-is-harmless": [
    {
      file: cluster("shard-replica.ts"),
      search: 'answers.note(id, status);\n        if (status.kind === "committed") {',
      replace:
        'answers.note(id, status);\n        if (status.kind === "committed" && validation.snapshot < 0) {',
    },
  ],
};

/** Rules that clients and coordinators keep: those of the product in place of those of the model. */
const CLIENTS: readonly Mutant[] = [
  {
    name: "tx-8-not-above-snapshot",
    description: "A commit may stand at or below its snapshot.",
    file: cluster("shard/certify.ts"),
    search: "Math.max(proposed, snapshot + 1, observed + 1, clock + 1)",
    replace: "Math.max(proposed, snapshot - snapshot, observed + 1, clock + 1)",
    also: [
      {
        file: cluster("cluster-state.ts"),
        search: "    this.observe(answer.at);\n    this.host.clock.merge(answer.at);\n",
        replace: "",
      },
    ],
    profile: "weak",
  },
  {
    name: "tx-11-only-read-skipped",
    description: "A shard that was only read is no participant of a writer.",
    file: cluster("commit.ts"),
    search: "for (const shard of isSerializable ? tx.reads.shards() : [])",
    replace: "for (const shard of isSerializable && tx.writes.size === 0 ? tx.reads.shards() : [])",
    profile: "skew",
  },
  {
    name: "tx-13-told-before-decided",
    description: "The client is told what was proposed at home rather than what home's log holds.",
    file: "packages/2pc/src/coordinator.ts",
    search:
      '  return enter(task, { phase: "deciding", proposal: { kind: "vote", votes: merged }, doubted: false });',
    replace:
      '  const step = enter<P, V, R>(task, { phase: "deciding", proposal: { kind: "vote", votes: merged }, doubted: false });\n  return { ...step, effects: [{ kind: "report", result: { kind: "committed", value: merged } }, ...step.effects] };',
    profile: "doubt",
  },
  {
    name: "tx-13-not-applied-by-timeout",
    description: "The client is told that nothing was applied as soon as a vote has not come in time.",
    file: "packages/2pc/src/coordinator.ts",
    search: 'timedOut: (task) => proposeAbort(task, { kind: "timeout" }),',
    replace: 'timedOut: (task) => conclude(task, { kind: "aborted", reason: { kind: "timeout" } }),',
    profile: "doubt",
  },
  {
    name: "tx-14-decided-elsewhere",
    description: "Participants are sent what the coordinator has decided, before home has.",
    file: "packages/2pc/src/coordinator.ts",
    search: "return [send(id.home, proposed(task, state.proposal))];",
    replace:
      'return [send(id.home, proposed(task, state.proposal)), ...(state.proposal.kind === "vote" && state.proposal.votes !== undefined ? participants.filter((to) => to !== id.home).map((to) => send(to, { kind: "decide", id, outcome: { kind: "committed", value: (state.proposal as { votes: V }).votes } })) : [])];',
    profile: "doubt",
  },
  {
    name: "tx-15-unknown-believed",
    description:
      "Who finds a transaction in doubt believes that home knows nothing, without writing the abort there.",
    file: "packages/2pc/src/coordinator.ts",
    search: 'unknown: (task) => proposeAbort(task, { kind: "recovery" }),',
    replace: 'unknown: (task) => conclude(task, { kind: "aborted", reason: { kind: "recovery" } }),',
    profile: "doubt",
  },
  {
    name: "tx-15-prepared-aborted-elsewhere",
    description: "Who finds a transaction in doubt aborts it where it is, without home.",
    file: "packages/2pc/src/coordinator.ts",
    search: 'timedOut: (task) => proposeAbort(task, { kind: "recovery" }),',
    replace: 'timedOut: (task) => conclude(task, { kind: "aborted", reason: { kind: "recovery" } }),',
    profile: "doubt",
  },
  {
    name: "tx-20-below-token",
    description: "A snapshot may be older than what its session has seen.",
    file: cluster("cluster-state.ts"),
    search: "Math.max(this.observed, this.#since) as CommitTimestamp",
    replace: "Math.max(0, this.#since) as CommitTimestamp",
    profile: "readers",
  },
  {
    name: "tx-21-not-validated",
    description: "A strict read-only transaction is not validated.",
    file: cluster("commit.ts"),
    search: 'if (answers.some(({ kind }) => kind === "outdated")) {',
    replace: 'if (answers.some(({ kind }) => kind !== "outdated" && kind !== "valid")) {',
    profile: "readers",
  },
  {
    name: "tx-22-not-current",
    description: "A read of one shard counts as of the newest although it is not any more.",
    file: cluster("shard-replica.ts"),
    search: "isNewest: isFresh && isCurrent(machine, result)",
    replace: "isNewest: isFresh",
    profile: "readers",
  },
  {
    name: "tx-22-two-requests",
    description: "Two requests are exempt from validation as one is.",
    file: cluster("commit.ts"),
    search: "reads.requests <= 1 && (tx.isFresh",
    replace: "reads.requests <= 2 && (tx.isFresh",
    also: [
      {
        file: cluster("cluster-state.ts"),
        search: "    this.isFresh = answer.isNewest;",
        replace: "    this.isFresh ||= answer.isNewest;",
      },
    ],
    profile: "readers",
  },
  {
    name: "tx-24-asked-too-early",
    description: "Under read committed, what home said before the read began is believed.",
    file: cluster("shard-replica.ts"),
    search:
      "    const deadline = runtime.now() + patience.readMs;\n    const answers = new Answers();\n    for (;;) {\n      const { machine } = log;",
    replace:
      "    const deadline = runtime.now() + patience.readMs;\n    const answers: Answers = (log.early ??= new Answers());\n    for (;;) {\n      const { machine } = log;",
    profile: "committed",
  },
  {
    name: "tx-25-baseline-from-commit",
    description:
      "Under read committed, what a write replaces is not what was read but what is there at commit.",
    file: cluster("commit.ts"),
    search: "  if (seen !== undefined) return seen.version;",
    replace: '  if (seen !== undefined && tx.isolation !== "read-committed") return seen.version;',
    profile: "updates",
  },
  {
    name: "tx-27-scanned-skipped",
    description: "A shard that was only scanned is no participant.",
    file: cluster("cluster-scan.ts"),
    search: "    reads.addRange(this.#shard, covered);\n",
    replace: "    if (isReadOnly) reads.addRange(this.#shard, covered);\n",
    profile: "ranges",
  },
];

export const clusterMutants: MutantSuite = {
  packages: ["cluster", "2pc", "core", "hash-ring", "paxos", "testkit"],
  trial: {
    kind: "simulator",
    target: "cluster",
    profile: "contended",
    seedsMax: 400,
    minutesMax: 2,
  },
  mutants: [...shardMutants.mutants.filter(isOfProduct).map(forCluster), ...CLIENTS],
};

function isOfProduct({ also = [], file }: Mutant): boolean {
  return [file, ...also.map((other) => other.file)].every(ofProduct);
}

function forCluster(mutant: Mutant): Mutant {
  const profile = PROFILES.find(([prefix]) => mutant.name.startsWith(prefix))?.[1];
  const also = [...(mutant.also ?? []), ...(KEPT_TWICE[mutant.name] ?? [])];
  return { ...mutant, also, ...(profile === undefined ? {} : { profile }) };
}
