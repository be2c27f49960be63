// The person on call: restarts what has fenced itself, replaces nodes that lost their disk, and carries out the membership changes that
// a plan asks for, one at a time. It gives each command to whoever leads at that moment, again and again until it sees the result.

import { type Configuration, type MembershipChange, type ReplicaId, replicaId } from "@khonsu/paxos";
import type { PaxosCluster } from "./cluster.ts";
import { damagedSlots, isDiskLost } from "./damage.ts";
import type { SimulatedNode } from "./node.ts";

type Goal =
  | { readonly kind: "add"; readonly node: SimulatedNode }
  | { readonly kind: "remove"; readonly node: SimulatedNode; readonly rejoins: boolean };

const ROUND_US = 150_000;
/** A goal that nothing came of for so long is dropped, unless a disk was lost. */
const PATIENCE_ROUNDS = 20;

export class Operator {
  /** Membership changes that came into force. */
  changes = 0;
  readonly #cluster: PaxosCluster;
  #goal: Goal | undefined;
  #rounds = 0;
  #stopped = false;

  constructor(cluster: PaxosCluster) {
    this.#cluster = cluster;
    this.#scheduleRound();
  }

  /** Whether no change is under way. */
  get isIdle(): boolean {
    return this.#goal === undefined;
  }

  /** What a change under way, or one that the leader has been asked for, may make of `configuration`. */
  outcomesFor(configuration: Configuration): Configuration[] {
    const promoted = configuration.learners.map(({ replica }) => replica);
    const joining = this.#goal?.kind === "add" ? [this.#goal.node.self] : [];
    const leaving =
      this.#goal?.kind === "remove" ? this.#memberOf(configuration, this.#goal.node) : undefined;
    const larger = [...new Set([...configuration.voters, ...promoted, ...joining])];
    return [
      configuration,
      { ...configuration, voters: larger },
      { ...configuration, voters: configuration.voters.filter((voter) => voter !== leaving) },
    ];
  }

  /** Makes no further changes. */
  stop(): void {
    this.#stopped = true;
    this.#goal = undefined;
  }

  /** Asks for a spare node to join as a voter. False when there is something else to do, or no spare. */
  add(node: SimulatedNode): boolean {
    if (!this.isIdle || this.#memberOf(this.#configuration, node) !== undefined) return false;
    return this.#begin({ kind: "add", node });
  }

  /** Asks for a voter to leave, for good or to come back under a new incarnation; not while any copy of anything is damaged. */
  remove(node: SimulatedNode, rejoins: boolean): boolean {
    const configuration = this.#configuration;
    const isVoter = configuration.voters.some((voter) => voter === node.self);
    if (!this.isIdle || !isVoter || configuration.voters.length <= 2) return false;
    const voters = this.#cluster.nodes.filter(({ self }) => configuration.voters.includes(self));
    if (voters.some((voter) => isDiskLost(voter) || damagedSlots(voter).size > 0)) return false;
    return this.#begin({ kind: "remove", node, rejoins });
  }

  get #configuration(): Configuration {
    return this.#cluster.chosen.configuration;
  }

  #begin(goal: Goal): boolean {
    this.#goal = goal;
    this.#rounds = 0;
    return true;
  }

  #scheduleRound(): void {
    this.#cluster.scheduler.after(ROUND_US, () => {
      if (this.#stopped) return;
      this.#scheduleRound();
      this.#round();
    });
  }

  #round(): void {
    this.#rounds += 1;
    for (const node of this.#cluster.nodes) {
      if (node.downReason === "fenced") node.restart();
      if (node.downReason === "disk-lost" && this.isIdle)
        this.#begin({ kind: "remove", node, rejoins: true });
    }
    const goal = this.#goal;
    if (goal === undefined) return;
    if (goal.kind === "add") this.#add(goal.node);
    else this.#remove(goal.node, goal.rejoins);
    if (this.#rounds > PATIENCE_ROUNDS && goal.node.downReason !== "disk-lost") this.#goal = undefined;
  }

  #add(node: SimulatedNode): void {
    const configuration = this.#configuration;
    if (configuration.voters.some((voter) => voter === node.self)) {
      this.#goal = undefined;
      this.changes += 1;
      return;
    }
    if (this.#memberOf(configuration, node) === node.self) return; // a learner: the leader promotes it
    if (node.downReason === "off") node.begin({ kind: "join" });
    this.#tell({ kind: "add", replica: node.self, promote: true });
  }

  #remove(node: SimulatedNode, rejoins: boolean): void {
    const member = this.#memberOf(this.#configuration, node);
    if (member !== undefined) {
      this.#tell({ kind: "remove", replica: member });
      return;
    }
    this.changes += 1;
    this.#retire(node);
    this.#goal = undefined;
    if (rejoins) this.#begin({ kind: "add", node });
  }

  /** Turns off a node that is no member any more and gives up its disk. */
  #retire(node: SimulatedNode): void {
    node.stop("off");
    node.disk.wipe();
    this.#cluster.acceptorCheck.forget(node.self);
  }

  #tell(change: MembershipChange): void {
    this.#cluster.leader()?.command({ kind: "membershipRequested", change });
  }

  /** The identity under which `node` is a voter or a learner. */
  #memberOf({ voters, learners }: Configuration, node: SimulatedNode): ReplicaId | undefined {
    const identities = [...voters, ...learners.map(({ replica }) => replica)];
    for (let incarnation = node.incarnation; incarnation > 0; incarnation -= 1) {
      const identity = replicaId(node.node, incarnation);
      if (identities.includes(identity)) return identity;
    }
    return undefined;
  }
}
