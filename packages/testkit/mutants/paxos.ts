// Bugs that a Multi-Paxos can have, planted in `@khonsu/paxos` one at a time. `pnpm mutants paxos` shows that the simulator notices each.

import type { Mutant, MutantSuite } from "../src/mutants/mutant.ts";

const source = (file: string) => `packages/paxos/src/${file}`;

const acceptorMutants: readonly Mutant[] = [
  {
    name: "accepted-before-durable",
    description: "An acceptor answers an accept before it is on disk.",
    file: source("acceptor.ts"),
    search: "this.context.outbox.sendDurably(from, answer);",
    replace: "this.context.outbox.send(from, answer);",
  },
  {
    name: "promise-before-durable",
    description: "An acceptor answers a prepare before its promise is on disk.",
    file: source("acceptor.ts"),
    search: "this.context.outbox.sendDurably(from, this.promiseFrom(message.from, decided));",
    replace: "this.context.outbox.send(from, this.promiseFrom(message.from, decided));",
  },
  {
    name: "promise-forgotten-on-restart",
    description: "A restart forgets what was promised.",
    file: source("startup.ts"),
    search: "new Acceptor(context, recovered.promised,",
    replace: "new Acceptor(context, { ...recovered.promised, round: 0 },",
  },
  {
    name: "late-accept-taken",
    description: "An accept of a lower ballot than the one promised is accepted under the promised one.",
    file: source("acceptor.ts"),
    search: "      this.refuse(from, message.ballot);\n      return false;",
    replace: "      if (message.entries.length === 0) return false;",
  },
  {
    name: "promise-hides-last-entry",
    description: "A promise leaves out the last entry that was accepted.",
    file: source("acceptor.ts"),
    search: "at <= last; at = slotAfter(at)) {",
    replace: "at < last; at = slotAfter(at)) {",
  },
  {
    name: "doubt-denied",
    description: "An acceptor that cannot read what it accepted says that it accepted nothing.",
    file: source("acceptor.ts"),
    search: "if (this.isDoubtful(at)) doubtful.push(at);",
    replace: "if (this.isDoubtful(at)) continue;",
  },
  {
    name: "accepted-over-holes",
    description: "An acceptor confirms everything up to the last entry it holds, holes included.",
    file: source("acceptor.ts"),
    search:
      "    while (log.ballotAt(slotAfter(through)) === this.promisedBallot) through = slotAfter(through);\n    this.acceptedThrough",
    replace: "    through = Math.max(through, log.last) as Slot;\n    this.acceptedThrough",
  },
  {
    name: "stale-entry-taken-for-decided",
    description:
      "A follower takes the leader's decided index for entries that it holds under an older ballot.",
    file: source("acceptor.ts"),
    search:
      "through < leaderDecided && this.context.log.ballotAt(slotAfter(through)) === this.promisedBallot",
    replace: "through < leaderDecided && this.context.log.entryAt(slotAfter(through)) !== undefined",
  },
];

const proposerMutants: readonly Mutant[] = [
  {
    name: "prepare-quorum-short",
    description: "One promise less than a majority completes phase 1.",
    file: source("quorum.ts"),
    search:
      'export function prepareQuorumSize(configuration: Configuration): number {\n  const { quorums, voters } = configuration;\n  return quorums === "majority" ? Math.floor(voters.length / 2) + 1',
    replace:
      'export function prepareQuorumSize(configuration: Configuration): number {\n  const { quorums, voters } = configuration;\n  return quorums === "majority" ? Math.max(1, Math.floor(voters.length / 2))',
  },
  {
    name: "half-is-a-quorum",
    description: "Half of an even number of voters accepts for a quorum.",
    file: source("quorum.ts"),
    search:
      'export function acceptQuorumSize(configuration: Configuration): number {\n  const { quorums, voters } = configuration;\n  return quorums === "majority" ? Math.floor(voters.length / 2) + 1',
    replace:
      'export function acceptQuorumSize(configuration: Configuration): number {\n  const { quorums, voters } = configuration;\n  return quorums === "majority" ? Math.ceil(voters.length / 2)',
  },
  {
    name: "learners-counted",
    profile: "membership-churn",
    description: "The leader counts what learners have, not only voters.",
    file: source("quorum.ts"),
    search: "const values = configuration.voters.map(reached).sort((a, b) => b - a);",
    replace:
      "const members = [...configuration.voters, ...configuration.learners.map(({ replica }) => replica)];\n  const values = members.map(reached).sort((a, b) => b - a);",
  },
  {
    name: "lowest-ballot-wins",
    description: "A new leader proposes the value of the lowest ballot reported, not of the highest.",
    file: source("proposer.ts"),
    search: "if (order > 0) this.reports.set(at, { ballot, entry });",
    replace: "if (known === undefined || order < 0) this.reports.set(at, { ballot, entry });",
  },
  {
    name: "no-op-over-reported",
    description: "A new leader fills every open slot with a no-op, whatever was reported.",
    file: source("proposer.ts"),
    search: "    return this.reports.get(at)?.entry;\n",
    replace: "    return at < 0 ? this.reports.get(at)?.entry : undefined;\n",
  },
  {
    name: "no-op-skipped",
    profile: "late-messages",
    description: "A new leader leaves out the slots of which nobody reported anything.",
    file: source("leader.ts"),
    search: "      const entry = proposer.valueAt(at) ?? noOp(at);\n",
    replace: "      const entry = proposer.valueAt(at);\n      if (entry === undefined) continue;\n",
  },
  {
    name: "prepare-starts-too-late",
    description: "Phase 1 does not ask about the first slot that is not decided.",
    file: source("campaign.ts"),
    search: "new Proposer(ballot, slotAfter(learner.decided))",
    replace: "new Proposer(ballot, slotAfter(learner.decided, 2))",
  },
  {
    name: "stale-promise-counted",
    profile: "late-copies",
    description: "A promise of any ballot counts for the present one.",
    file: source("proposer.ts"),
    search: "if (!sameBallot(message.ballot, this.ballot)) return false;",
    replace: "",
  },
  {
    name: "decided-of-others-ignored",
    description: "A new leader does not learn first what acceptors know to be decided.",
    file: source("campaign.ts"),
    search: "if (restoring || applied < decided || decided < this.proposer.decided) return false;",
    replace: "if (restoring || applied < decided) return false;",
    also: [
      {
        file: source("proposer.ts"),
        search: "    if (at <= this.decided) return false;\n",
        replace: "",
      },
      {
        file: source("proposer.ts"),
        search: "if (quorum) return first > this.decided;",
        replace: "if (quorum) return true;",
      },
    ],
  },
  {
    name: "doubtful-vote-counted",
    description:
      "An acceptor that cannot tell what it accepted in a slot counts as one that accepted nothing.",
    file: source("proposer.ts"),
    search: "const known = !answer.doubtful.has(at) || compareBallots(reported, answer.doubtBound) >= 0;",
    replace: "const known = compareBallots(reported, answer.doubtBound) <= 0 || true;",
    also: [
      {
        file: source("proposer.ts"),
        search: "answer.next === NO_SLOT && answer.doubtful.size === 0",
        replace: "answer.next === NO_SLOT",
      },
    ],
  },
];

const leaderMutants: readonly Mutant[] = [
  {
    name: "leader-counts-itself-unflushed",
    description: "The leader counts its own acceptance before it is on disk.",
    file: source("leader.ts"),
    search: "replica === this.context.self ? this.ownThrough",
    replace: "replica === this.context.self ? this.proposed",
  },
  {
    name: "duplicates-counted",
    description: "The leader counts answers instead of the acceptors that gave them.",
    file: source("leader.ts"),
    search: "    this.replication.onAccepted(from, message);\n    this.decide();",
    replace:
      "    this.replication.onAccepted(from, message);\n    const answers = (this.answers.get(message.through) ?? 0) + 1;\n    this.answers.set(message.through, answers);\n    const voters = this.learner.configuration?.voters.length ?? 1;\n    if (answers > voters / 2 && message.through <= this.proposed) this.learner.decide(message.through);\n    this.decide();",
    also: [
      {
        file: source("leader.ts"),
        search: "  private readonly replication: Replication;\n",
        replace:
          "  private readonly replication: Replication;\n  private readonly answers = new Map<number, number>();\n",
      },
    ],
  },
  {
    name: "learned-contradicted",
    profile: "late-copies",
    description: "What a replaced leader proposes in a slot that was learned counts as a second history.",
    file: source("acceptor.ts"),
    search: "if (isLearned) return;",
    replace: "if (isLearned && at < 0) return;",
  },
  {
    name: "stale-accepted-counted",
    profile: "late-copies",
    description: "The leader counts answers to accepts of other ballots.",
    file: source("message-handlers.ts"),
    search: "if (leader !== undefined && sameBallot(message.ballot, leader.ballot)) leader.onAccepted",
    replace: "if (leader !== undefined) leader.onAccepted",
  },
  {
    name: "leader-never-gives-way",
    profile: "returning-leader",
    description: "A leader that has promised a higher ballot goes on leading.",
    file: source("leadership.ts"),
    search: "if (ballot.round > 0 && compareBallots(promised, ballot) > 0) this.resign();",
    replace: "if (ballot.round < 0) this.resign();",
  },
  {
    name: "membership-without-gate",
    profile: "membership-churn",
    description:
      "Proposals go on behind a membership entry that is not decided, under the old configuration.",
    file: source("leader.ts"),
    search: "    if (this.gate > this.learner.decided) return;\n    if (this.pending",
    replace: "    if (this.pending",
  },
  {
    name: "accept-never-repeated",
    description: "An accept that was lost is never sent again.",
    file: source("peer.ts"),
    search: "    this.next = slotAfter(confirmed);\n",
    replace: "",
  },
];

const readMutants: readonly Mutant[] = [
  {
    name: "read-unconfirmed",
    profile: "returning-leader",
    description: "The leader serves reads without asking whether it still leads.",
    file: source("read-confirmation.ts"),
    search: "if (this.lease.held) this.reads.answerWaiting(decided);",
    replace: "this.reads.answerWaiting(decided);",
  },
  {
    name: "read-before-own-entry",
    description: "A new leader serves reads before an entry of its own is decided.",
    file: source("leader.ts"),
    search: "return this.openedAt !== NO_SLOT && this.learner.decided >= this.openedAt;",
    replace: "return this.openedAt !== NO_SLOT;",
  },
  {
    name: "read-before-applied",
    description: "A read is released before its index is applied.",
    file: source("reads.ts"),
    search: "      if (index <= applied) this.context.outbox.emit",
    replace: "      this.context.outbox.emit",
    also: [
      {
        file: source("reads.ts"),
        search: "const later = this.indexed.filter(({ index }) => index > applied);",
        replace: "const later = this.indexed.filter(({ index }) => index > applied && index < 0);",
      },
    ],
  },
  {
    name: "old-leader-confirmed",
    profile: "returning-leader",
    description: "An acceptor confirms a leader although it has promised a higher ballot.",
    file: source("message-handlers.ts"),
    search:
      '      if (compareBallots(ballot, promised) < 0)\n        return context.outbox.send(from, { kind: "nack", ballot, promised });\n      election.follow(ballot);',
    replace: "      if (compareBallots(ballot, promised) >= 0) election.follow(ballot);",
  },
  {
    name: "lease-never-ends",
    profile: "leases",
    description: "A leader holds its lease for ten times as long as it was granted.",
    file: source("lease.ts"),
    search: "askedAt + Math.floor((leaseTicks - 1) / (1 + clockDriftMax))",
    replace: "askedAt + 10 * leaseTicks",
  },
];

const stateMutants: readonly Mutant[] = [
  {
    name: "duplicate-applied",
    description: "A command that was decided twice is applied twice.",
    file: source("learner.ts"),
    search: 'if (verdict === "new") return entry;',
    replace: 'if (verdict !== "expired") return entry;',
  },
  {
    name: "sessions-not-in-checkpoint",
    description: "A replica that starts from a checkpoint has forgotten which commands were applied.",
    file: source("learner.ts"),
    search: "    this.sessions.decode(preface);\n",
    replace: "    void preface;\n",
  },
  {
    name: "configuration-not-in-checkpoint",
    profile: "membership-churn",
    description: "A replica that starts from a checkpoint keeps the configuration that it knew before.",
    file: source("learner.ts"),
    search: "    this.current = checkpoint.configuration;\n",
    replace: "    this.current ??= checkpoint.configuration;\n",
  },
  {
    name: "trimmed-past-checkpoint",
    description: "The log on disk is trimmed one slot past the checkpoint.",
    file: source("checkpoints.ts"),
    search: 'this.context.outbox.record({ kind: "checkpoint", checkpoint, trimmed });',
    replace:
      'this.context.outbox.record({ kind: "checkpoint", checkpoint, trimmed: (checkpoint.slot + 1) as Slot });',
  },
  {
    name: "image-unchecked",
    profile: "rotten-image",
    description: "A received image becomes current without a look at its checksum.",
    file: source("image-transfer.ts"),
    search: "if (running === checkpoint.checksum) return checkpoint;",
    replace: "return checkpoint;",
  },
  {
    name: "rotten-entry-trusted",
    description: "A restart takes over entries without a look at their checksums.",
    file: source("startup.ts"),
    search: "if (entry !== undefined && isIntact(entry, slot))",
    replace: "if (entry !== undefined)",
  },
  {
    name: "lost-entry-claimed",
    profile: "damaged-log",
    description: "A restart claims all that was decided, though it can no longer read some of it.",
    file: source("startup.ts"),
    search: "  let certain = applied;\n",
    replace: "  let certain = Math.max(applied, decided) as Slot;\n",
  },
  {
    name: "answer-with-hole",
    profile: "damaged-log",
    description: "A fetch is answered across an entry that cannot be read any more.",
    file: source("catch-up.ts"),
    search: "      if (entry === undefined) break;\n      last = slotAfter(last);\n      bytes += entry.kind",
    replace: "      last = slotAfter(last);\n      bytes += entry?.kind",
  },
  {
    name: "retries-queued",
    profile: "lost-writes",
    description:
      "The leader queues each repetition of a proposal, so that a storm of them keeps everything else out.",
    file: source("leader.ts"),
    search: "    if (this.pending.has(proposal)) return true;\n",
    replace: "",
  },
  {
    name: "wiped-disk-votes",
    description: "A node that lost its disk starts again under its old identity.",
    file: source("startup.ts"),
    search: '    case "restart":\n      throw new PaxosError(',
    replace: '    case "restart":\n      if (name !== "") return undefined;\n      throw new PaxosError(',
  },
  {
    name: "storage-error-ignored",
    description: "A failed write is passed over instead of fencing the replica.",
    file: source("replica.ts"),
    search: 'storageFailed: ({ message }) => this.stop("KHONSU_STORAGE_FAILED", message),',
    replace: "storageFailed: () => {},",
  },
];

const electionMutants: readonly Mutant[] = [
  {
    name: "stalled-leader-stays",
    description: "A leader whose disk has stalled keeps leading on its heartbeats.",
    file: source("leader-election.ts"),
    search:
      'if (engaged) return view.stalled || this.unhealthyRounds >= RESIGN_AFTER_ROUNDS ? "resign" : "none";',
    replace: 'if (engaged) return this.unhealthyRounds >= RESIGN_AFTER_ROUNDS ? "resign" : "none";',
    also: [
      {
        file: source("leader-election.ts"),
        search: "    if (!view.stalled) supporters.add(this.context.self);",
        replace: "    supporters.add(this.context.self);",
      },
    ],
  },
  {
    name: "healthy-leader-disturbed",
    profile: "one-way-link",
    description: "A voter that does not hear the leader takes over, although others tell it that they do.",
    file: source("leader-election.ts"),
    search:
      "    for (const voter of configuration.voters) if (this.replies.get(voter)?.healthy === true) return false;\n",
    replace: "",
  },
  {
    name: "listener-never-asks",
    description: "A follower that heard the leader once never asks again, however long it is silent.",
    file: source("leader-election.ts"),
    search: "    this.roundEndsAt = this.context.now + this.roundTicks + LATE_TICKS;",
    replace: "    this.roundEndsAt = Number.MAX_SAFE_INTEGER;",
  },
  {
    name: "leader-without-quorum-stays",
    profile: "partial-partition",
    description: "A leader that does not reach a quorum never gives up.",
    file: source("leader-election.ts"),
    search: "return isAcceptQuorum(configuration, supporters);",
    replace: "return isAcceptQuorum(configuration, supporters) || view.leading;",
  },
  {
    name: "laggard-never-asks",
    description: "A replica that has fallen behind waits for what is proposed next.",
    file: source("catch-up.ts"),
    search: "    if (lagLasts) this.ask(leader);\n",
    replace: "    void lagLasts;\n    void leader;\n",
  },
  {
    name: "prepare-before-durable",
    profile: "lost-writes",
    description:
      "A candidate asks for promises before its own ballot is on disk, so that a crash lets it use the ballot again.",
    file: source("campaign.ts"),
    search: 'this.context.outbox.sendDurably(voter, { kind: "prepare", ballot, from, transfer });',
    replace: 'this.context.outbox.send(voter, { kind: "prepare", ballot, from, transfer });',
  },
];

export const paxosMutants: MutantSuite = {
  packages: ["paxos", "core", "testkit"],
  trial: { kind: "simulator", target: "paxos", seedsMax: 3_000, minutesMax: 3 },
  mutants: [
    ...acceptorMutants,
    ...proposerMutants,
    ...leaderMutants,
    ...readMutants,
    ...stateMutants,
    ...electionMutants,
  ],
};
