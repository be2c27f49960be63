/**
 * Ballot leader election by quorum connectivity (OmniPaxos, Ng, Haridi & Carbone, EuroSys 2023, §5.2). In rounds of half an election
 * timeout each voter asks all members how they stand. A voter takes over only if it reached a quorum in the round, is not
 * healthy itself and nobody it reached is: a node with a failed link neither keeps leadership nor disturbs a leader that
 * others can use, and the one node that reaches a quorum becomes leader however the rest is connected (PX-16).
 *
 * While the leader asks, and says that it reaches a quorum, those that hear it just listen: they would ask the same again. One that
 * has not heard it for a round and a tick asks everybody, and a round of answers decides, as ever.
 */
import { type Ballot, compareBallots, maxBallot, sameBallot, ZERO_BALLOT } from "./ballot.ts";
import type { Configuration } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Standing } from "./message.ts";
import { acceptQuorumSize, countVoters, isAcceptQuorum, prepareQuorumSize } from "./quorum.ts";
import { Random } from "./random.ts";
import type { ReplicaId } from "./replica-id.ts";

/** Unhealthy rounds in a row after which a leader gives up: one election timeout. */
const RESIGN_AFTER_ROUNDS = 2;
/** Rounds that a voter leaves the field to one of higher priority before it takes over after all. */
const YIELD_ROUNDS = 2;

/** How much later than a round the next word of the leader may come before a listener asks, in ticks. */
const LATE_TICKS = 1;

/** What the end of a round calls for. */
export type ElectionVerdict = "none" | "campaign" | "resign";

/** What the replica is doing at the end of a round. */
export interface ElectionView {
  readonly configuration: Configuration | undefined;
  /** The ballot that this replica leads or campaigns with; `ZERO_BALLOT` if neither. */
  readonly ballot: Ballot;
  readonly promised: Ballot;
  readonly leading: boolean;
  /** Whether it may lead: it votes, its disk keeps up, nothing else forbids. */
  readonly mayLead: boolean;
  readonly stalled: boolean;
}

export class LeaderElection {
  private readonly context: Context;
  private readonly random: Random;
  private readonly roundTicks: number;
  private roundEndsAt: number;
  private roundNumber = 0;
  private readonly replies = new Map<ReplicaId, Standing>();
  private unhealthyRounds = 0;
  private yielded = 0;
  private backoffRounds = 0;
  private followed: Ballot = ZERO_BALLOT;
  private highestBallot: Ballot = ZERO_BALLOT;
  private isHealthy = false;
  /** Something came in this round that is, or may become, a leader: what others said before is out of date. */
  private expecting = false;
  private reachesQuorum = false;
  /** Nobody was asked in this round, since the leader was heard. */
  private isListening = false;

  constructor(context: Context) {
    this.context = context;
    this.random = new Random(context.options.seed);
    this.roundTicks = Math.floor(context.options.electionTimeoutTicks / 2);
    this.roundEndsAt = this.random.below(this.roundTicks) + 1;
  }

  get round(): number {
    return this.roundNumber;
  }

  /** The ballot of the leader that this replica knows; `ZERO_BALLOT` if it knows none. */
  get leader(): Ballot {
    return this.followed;
  }

  get healthy(): boolean {
    return this.isHealthy;
  }

  get quorumConnected(): boolean {
    return this.reachesQuorum;
  }

  /** As `quorumConnected`, but true as well while nobody was asked, or the first answers are not in. */
  get mayReachQuorum(): boolean {
    return this.reachesQuorum || this.isListening || this.roundNumber <= 1;
  }

  /** The round number for a ballot above all that were seen. */
  get nextBallotRound(): number {
    return this.highestBallot.round + 1;
  }

  /** Notes a ballot that somebody uses, so that the next own one is above it. */
  noteBallot(ballot: Ballot): void {
    this.highestBallot = maxBallot(this.highestBallot, ballot);
  }

  /** This replica hears from the leader of `ballot`, or is it. */
  follow(ballot: Ballot): void {
    if (compareBallots(ballot, this.followed) <= 0) return;
    this.followed = ballot;
    this.expecting = true;
    // It has just reached a quorum. Said at once: else whoever does not reach it sees nobody healthy, and takes over in turn.
    this.begin();
  }

  /** Somebody campaigns who reached a quorum: this replica lets it be for the rest of the round, whose answers are older. */
  expectLeader(): void {
    this.expecting = true;
    this.begin();
  }

  /** The leader of `ballot` is none any more. */
  unfollow(ballot: Ballot): void {
    if (sameBallot(ballot, this.followed)) this.followed = ZERO_BALLOT;
  }

  /** Takes what a member says of itself, in whatever message. */
  onStanding(from: ReplicaId, standing: Standing): void {
    this.noteBallot(standing.promised);
    const known = this.followed;
    if (compareBallots(standing.leading, known) > 0) this.follow(standing.leading);
    else if (known.replica === from && !sameBallot(standing.leading, known)) this.followed = ZERO_BALLOT;
  }

  /** A member asks: if it is the leader, and well, this replica need not ask whether it is. */
  onPing(
    standing: Standing,
    { ballot, configuration, promised }: Pick<ElectionView, "ballot" | "configuration" | "promised">,
  ): void {
    if (ballot.round > 0 || configuration === undefined || !isHealthyLeader(standing, promised)) return;
    this.begin();
    this.isListening = true;
    this.roundEndsAt = this.context.now + this.roundTicks + LATE_TICKS;
  }

  onPong(from: ReplicaId, round: number, standing: Standing): void {
    if (round === this.roundNumber) this.replies.set(from, standing);
  }

  /** Waits some rounds, a random number, before campaigning again. */
  backOff(): void {
    this.backoffRounds = 1 + this.random.below(3);
  }

  /** A campaign begins or a leadership has begun: healthy until a round says otherwise. */
  begin(): void {
    this.isHealthy = true;
    this.unhealthyRounds = 0;
    this.yielded = 0;
  }

  /**
   * Whether the round is over; the caller then asks `endRound` and sends the pings of the next. Before its time it is where every voter has
   * answered that nobody leads, as when all of them were started again: there is nobody left to wait for.
   */
  isRoundOver(view: ElectionView): boolean {
    return this.context.now >= this.roundEndsAt || this.isSureOfNoLeader(view);
  }

  endRound(view: ElectionView): ElectionVerdict {
    const verdict = this.judge(view);
    this.roundNumber++;
    this.roundEndsAt = this.context.now + this.roundTicks;
    this.replies.clear();
    this.expecting = false;
    this.isListening = false;
    return verdict;
  }

  private judge(view: ElectionView): ElectionVerdict {
    const { configuration } = view;
    if (configuration === undefined) {
      // It asks nobody, so it cannot tell that the leader it heard of is well: to say so would keep others from taking over.
      this.isHealthy = false;
      return "none";
    }
    // Nobody was asked in the first round.
    if (this.roundNumber === 0) return "none";
    const engaged = view.ballot.round > 0;
    if (this.isListening) {
      // The leader has fallen silent. That it was well is no longer said to others, who would wait for it.
      if (!engaged && !this.expecting) this.isHealthy = false;
      return "none";
    }
    this.reachesQuorum = this.reaches(configuration);
    // The answers of this round may be older than the ballot that came in it: the next round tells.
    if (!this.expecting) {
      this.isHealthy = engaged ? this.hasSupport(view, configuration) : this.hearsHealthyLeader(view);
    }
    this.unhealthyRounds = this.isHealthy ? 0 : this.unhealthyRounds + 1;
    if (this.isHealthy) this.yielded = 0;
    if (engaged) return view.stalled || this.unhealthyRounds >= RESIGN_AFTER_ROUNDS ? "resign" : "none";
    return this.shouldCampaign(view, configuration) ? "campaign" : "none";
  }

  private isSureOfNoLeader({ ballot, configuration, mayLead }: ElectionView): boolean {
    if (configuration === undefined || this.roundNumber === 0 || ballot.round > 0 || !mayLead) return false;
    if (this.isHealthy || this.expecting || this.backoffRounds > 0) return false;
    const { options, self } = this.context;
    return configuration.voters.every((voter) => {
      const standing = this.replies.get(voter);
      if (standing === undefined) return voter === self;
      return !standing.healthy && !(standing.electable && standing.priority > options.priority);
    });
  }

  private reaches(configuration: Configuration): boolean {
    const reached = countVoters(configuration, new Set([...this.replies.keys(), this.context.self]));
    return reached >= Math.max(prepareQuorumSize(configuration), acceptQuorumSize(configuration));
  }

  /** Whether an accept quorum, disks included, is there for this replica's ballot. */
  private hasSupport(view: ElectionView, configuration: Configuration): boolean {
    const supporters = new Set<ReplicaId>();
    if (!view.stalled) supporters.add(this.context.self);
    for (const [replica, standing] of this.replies) {
      if (!standing.stalled && compareBallots(standing.promised, view.ballot) <= 0) supporters.add(replica);
    }
    return isAcceptQuorum(configuration, supporters);
  }

  /** Whether the leader answered in this round and said that it reaches a quorum. */
  private hearsHealthyLeader({ promised }: ElectionView): boolean {
    for (const standing of this.replies.values()) if (isHealthyLeader(standing, promised)) return true;
    return false;
  }

  private shouldCampaign(view: ElectionView, configuration: Configuration): boolean {
    if (this.isHealthy || this.expecting || !this.reachesQuorum || !view.mayLead) return false;
    for (const voter of configuration.voters) if (this.replies.get(voter)?.healthy === true) return false;
    if (this.backoffRounds > 0) {
      this.backoffRounds--;
      return false;
    }
    return !this.yields(configuration);
  }

  private yields(configuration: Configuration): boolean {
    if (this.yielded >= YIELD_ROUNDS) return false;
    const { priority } = this.context.options;
    const better = configuration.voters.some((voter) => {
      const standing = this.replies.get(voter);
      return standing?.electable === true && standing.priority > priority;
    });
    if (better) this.yielded++;
    return better;
  }
}

/** Whether who stands like this leads, in a ballot that one who promised `promised` follows, and reaches a quorum. */
function isHealthyLeader({ healthy, leading }: Standing, promised: Ballot): boolean {
  return healthy && leading.round > 0 && compareBallots(leading, promised) >= 0;
}
