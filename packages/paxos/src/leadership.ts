/**
 * Who leads, as far as this replica is concerned: its own campaign or leadership, from the verdict of a round of the election to
 * resigning, and the leader that it follows otherwise. At most one of campaign and leader is there; a higher promise ends either (PX-4).
 */
import type { Acceptor } from "./acceptor.ts";
import type { Admission } from "./admission.ts";
import { type Ballot, compareBallots, sameBallot, ZERO_BALLOT } from "./ballot.ts";
import { Campaign } from "./campaign.ts";
import type { CatchUp } from "./catch-up.ts";
import type { Context } from "./context.ts";
import { Eligibility } from "./eligibility.ts";
import type { Entry } from "./entry.ts";
import type { ImageTransfer } from "./image-transfer.ts";
import { Leader } from "./leader.ts";
import type { LeaderElection } from "./leader-election.ts";
import type { Learner } from "./learner.ts";
import type { Lease } from "./lease.ts";
import { isMember, isVoter, membersOf } from "./membership.ts";
import type { MessageOf, Standing } from "./message.ts";
import type { Proposals } from "./proposals.ts";
import type { ReadConfirmation } from "./read-confirmation.ts";
import type { Reads } from "./reads.ts";
import type { ReplicaId } from "./replica-id.ts";
import { slotAfter } from "./slot.ts";
import type { Transfer } from "./transfer.ts";

/** What leading touches. */
export interface LeadershipRoles {
  readonly context: Context;
  readonly acceptor: Acceptor;
  readonly learner: Learner;
  readonly admission: Admission;
  readonly election: LeaderElection;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly confirmation: ReadConfirmation;
  readonly lease: Lease;
  readonly transfer: Transfer;
  readonly catchUp: CatchUp;
  readonly images: ImageTransfer;
}

export class Leadership {
  private readonly roles: LeadershipRoles;
  private readonly context: Context;
  private readonly eligibility: Eligibility;
  private ownCampaign: Campaign | undefined;
  private ownLeader: Leader | undefined;
  private announced: Ballot = ZERO_BALLOT;
  private seenPromise: Ballot;

  constructor(roles: LeadershipRoles) {
    this.roles = roles;
    this.context = roles.context;
    this.eligibility = new Eligibility(roles);
    this.seenPromise = roles.acceptor.promised;
    roles.election.noteBallot(roles.acceptor.promised);
  }

  /** Set while this replica campaigns. */
  get campaign(): Campaign | undefined {
    return this.ownCampaign;
  }

  /** Set while this replica leads. */
  get leader(): Leader | undefined {
    return this.ownLeader;
  }

  /** Whom this replica follows, itself included. */
  get known(): ReplicaId | undefined {
    const { leader } = this.roles.election;
    return leader.round === 0 ? undefined : leader.replica;
  }

  /** The ballot that this replica leads or campaigns with; `ZERO_BALLOT` if neither. */
  get ballot(): Ballot {
    return (this.ownLeader ?? this.ownCampaign)?.ballot ?? ZERO_BALLOT;
  }

  /** Whether the oldest write under way is older than an election timeout. */
  get stalled(): boolean {
    return this.eligibility.stalled;
  }

  /** What this replica says of itself in pings and pongs. */
  get standing(): Standing {
    return this.eligibility.standing(this.ownLeader?.ballot ?? ZERO_BALLOT);
  }

  /** Ends a round of the election if it is time: does what its verdict says, and asks everybody for the next. */
  endRound(): void {
    const { acceptor, election, learner } = this.roles;
    const { ballot, ownLeader } = this;
    const { mayLead, stalled } = this.eligibility;
    const { configuration } = learner;
    const { promised } = acceptor;
    const leading = ownLeader !== undefined;
    const view = { configuration, ballot, promised, leading, mayLead, stalled };
    if (!election.isRoundOver(view)) return;
    const verdict = election.endRound(view);
    if (verdict === "resign") this.resign();
    if (verdict === "campaign") this.begin(false);
    if (!isMember(configuration, this.context.self)) return;
    const { standing } = this;
    for (const member of membersOf(configuration)) {
      if (member !== this.context.self)
        this.context.outbox.send(member, { kind: "ping", round: election.round, standing });
    }
  }

  /** Begins a campaign. @param transfer whether the leader hands over on purpose */
  private begin(transfer: boolean): void {
    const { acceptor, election, learner } = this.roles;
    const ballot = this.eligibility.nextBallot;
    election.noteBallot(ballot);
    election.begin();
    this.ownCampaign = new Campaign(this.context, acceptor, learner, ballot, transfer);
  }

  /** The leader hands over to this replica: it campaigns at once if it has flushed all that the leader has (PX-19). */
  onTakeOver({ ballot, through }: MessageOf<"takeOver">): void {
    const { acceptor, learner } = this.roles;
    const follows = compareBallots(ballot, acceptor.promised) === 0 && this.ballot.round === 0;
    const flushed = Math.max(acceptor.through, learner.decided) >= through;
    if (follows && flushed && this.eligibility.mayVote) this.begin(true);
  }

  onTick(): void {
    const { catchUp, election, images, learner } = this.roles;
    const { ownCampaign: campaign } = this;
    if (campaign === undefined) return;
    if (catchUp.isBehind) catchUp.ask(this.sourceForCampaign);
    if (images.active || learner.restoring) campaign.touch();
    if (campaign.idleTicks < this.context.options.electionTimeoutTicks) {
      campaign.onTick();
      return;
    }
    election.backOff();
    this.resign();
  }

  onPersisted(): void {
    this.ownCampaign?.onPersisted();
    this.ownLeader?.onPersisted();
  }

  onPromise(from: ReplicaId, message: MessageOf<"promise">): void {
    const { catchUp } = this.roles;
    (this.ownCampaign ?? this.ownLeader?.campaign)?.onPromise(from, message);
    catchUp.note(from, message.decided);
    if (this.ownCampaign !== undefined && catchUp.isBehind) catchUp.ask(this.sourceForCampaign);
  }

  onNack({ ballot, promised }: MessageOf<"nack">): void {
    const { election } = this.roles;
    election.noteBallot(promised);
    if (!sameBallot(ballot, this.ballot)) return;
    if (this.ownCampaign !== undefined) election.backOff();
    this.resign();
  }

  /** Whoever told the candidate of the decided index that it must reach. */
  private get sourceForCampaign(): ReplicaId | undefined {
    return this.ownCampaign?.proposer.knowing(this.roles.learner.decided)[0];
  }

  /** Leads once phase 1 is complete, and does what a leader or a follower does at the end of a step. */
  advance(): void {
    const { configuration } = this.roles.learner;
    if (configuration !== undefined && this.ownCampaign?.isComplete(configuration))
      this.becomeLeader(this.ownCampaign);
    if (this.ownLeader !== undefined) this.lead(this.ownLeader);
    else this.follow();
  }

  private lead(leader: Leader): void {
    leader.advance();
    this.roles.transfer.advance(leader);
    this.roles.confirmation.confirm(leader);
  }

  private follow(): void {
    const leader = this.known;
    if (leader === undefined || leader === this.context.self) return;
    this.roles.proposals.forward(leader);
    this.roles.reads.ask(leader);
  }

  private becomeLeader(campaign: Campaign): void {
    const { acceptor, election, learner, lease, proposals, reads } = this.roles;
    this.ownCampaign = undefined;
    this.ownLeader = new Leader(this.context, acceptor, learner, campaign);
    election.follow(campaign.ballot);
    election.begin();
    lease.begin();
    reads.abandonRequest();
    proposals.onLeading(this.ownLeader);
  }

  /** Gives up a leadership or a campaign. What was proposed and not decided is pursued by way of the next leader (PX-15). */
  resign(): void {
    const { election, lease, proposals, reads, transfer } = this.roles;
    const { ownLeader: leader } = this;
    election.unfollow(this.ballot);
    this.ownCampaign = undefined;
    if (leader === undefined) return;
    this.ownLeader = undefined;
    transfer.end();
    lease.surrender();
    reads.abandonConfirmation();
    proposals.onResigned(leader, this.undecided(leader));
  }

  private undecided(leader: Leader): Entry[] {
    const { log } = this.context;
    const entries: Entry[] = [];
    for (let at = slotAfter(this.roles.learner.decided); at <= leader.last; at = slotAfter(at)) {
      const entry = log.entryAt(at);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** A higher ballot was promised here: an own one is over (PX-4), and whoever made it gets a round's time. */
  giveWay(): void {
    const { ballot } = this;
    const { promised } = this.roles.acceptor;
    if (promised !== this.seenPromise) this.roles.election.expectLeader();
    this.seenPromise = promised;
    if (ballot.round > 0 && compareBallots(promised, ballot) > 0) this.resign();
  }

  announce(): void {
    const { election, proposals, reads } = this.roles;
    const { leader } = election;
    if (sameBallot(leader, this.announced)) return;
    this.announced = leader;
    this.context.outbox.emit({ kind: "leaderChanged", leader: this.known, ballot: leader });
    proposals.onLeaderChanged();
    if (this.known !== undefined) reads.abandonRequest();
    if (this.ownLeader === undefined) this.follow();
  }

  /** A configuration is in force. */
  onConfigured(): void {
    const isStillVoter = isVoter(this.roles.learner.configuration, this.context.self);
    if (isStillVoter) this.ownLeader?.followConfiguration();
    else if (this.ownLeader !== undefined || this.ownCampaign !== undefined) {
      this.ownLeader?.tellAll();
      this.resign();
    }
  }

  requestTransfer(to: ReplicaId): void {
    const { learner, transfer } = this.roles;
    transfer.request(to, this.ownLeader, learner, this.known);
  }
}
