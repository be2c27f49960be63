// What is chosen, worked out from the disks alone: a value is chosen in a slot once an accept quorum of the configuration in force
// there has it durably under one ballot (Paxos Made Simple §2.1, §2.2). Everything that a replica says it decided is held against this.
//
// Checks: `one-value-a-ballot`, `chosen-value-changed` (P2b), `decided-not-durable` (hard cases 4, 5, 8), `not-proposed`.

import type { Ballot, Configuration, Entry } from "@khonsu/paxos";
import { ensure } from "../../failure.ts";
import { compare, identityOf } from "./acceptor-view.ts";

interface Votes {
  readonly ballot: Ballot;
  readonly identity: string;
  readonly configuration: Configuration | undefined;
  readonly replicas: Set<number>;
}

export interface ChosenValue {
  readonly ballot: Ballot;
  readonly identity: string;
}

export class ChosenLog {
  readonly #votes = new Map<number, Votes[]>();
  readonly #chosen: ChosenValue[] = [];
  #configuration: Configuration;
  #configurationBefore: Configuration;
  readonly #isProposed: (identity: string) => boolean;

  /** @param isProposed whether a client ever asked for the command of this identity */
  constructor(genesis: Configuration, isProposed: (identity: string) => boolean) {
    this.#configuration = genesis;
    this.#configurationBefore = genesis;
    this.#isProposed = isProposed;
  }

  /** Every slot up to here is known to be chosen. */
  get length(): number {
    return this.#chosen.length;
  }

  /** The one before `configuration`: as long as nobody knows that its successor is decided, it takes its quorums to find out. */
  get configurationBefore(): Configuration {
    return this.#configurationBefore;
  }

  /** The configuration that governs the slots after `length`. */
  get configuration(): Configuration {
    return this.#configuration;
  }

  /** Configurations that some replica accepted behind `length`: each may turn out to be chosen. */
  get pendingConfigurations(): Configuration[] {
    const pending: Configuration[] = [];
    for (const [slot, votes] of this.#votes) {
      if (slot <= this.length) continue;
      for (const { configuration } of votes) if (configuration !== undefined) pending.push(configuration);
    }
    return pending;
  }

  /** The value of a slot up to `length`. */
  at(slot: number): ChosenValue | undefined {
    return this.#chosen[slot - 1];
  }

  /** A replica's acceptance of `entry` under `ballot` has become durable. */
  accepted(replica: number, slot: number, ballot: Ballot, entry: Entry): void {
    const identity = identityOf(entry);
    const chosen = this.at(slot);
    ensure(
      chosen === undefined || compare(ballot, chosen.ballot) < 0 || chosen.identity === identity,
      "chosen-value-changed",
      () =>
        `slot ${slot} is chosen with ${chosen?.identity}, and ${identity} was accepted under a later ballot`,
    );
    let votes = this.#votes.get(slot);
    if (votes === undefined) {
      votes = [];
      this.#votes.set(slot, votes);
    }
    let same = votes.find((vote) => compare(vote.ballot, ballot) === 0);
    if (same === undefined) {
      const configuration = entry.kind === "membership" ? entry.configuration : undefined;
      same = { ballot, identity, configuration, replicas: new Set() };
      votes.push(same);
    }
    const before = same.identity;
    ensure(
      before === identity,
      "one-value-a-ballot",
      () => `slot ${slot} holds both ${before} and ${identity} under ballot ${ballot.round}`,
    );
    same.replicas.add(replica);
  }

  /** A replica says that every slot up to `slot` is decided: each of them must be chosen by now. */
  requireChosen(slot: number, who: string): void {
    while (this.#chosen.length < slot) this.#chooseNext(who);
  }

  #chooseNext(who: string): void {
    const slot = this.#chosen.length + 1;
    const votes = this.#votes.get(slot) ?? [];
    const quorum = acceptQuorum(this.#configuration);
    const voters = this.#configuration.voters as readonly number[];
    const winners = votes.filter(
      ({ replicas }) => voters.filter((voter) => replicas.has(voter)).length >= quorum,
    );
    winners.sort((one, other) => compare(one.ballot, other.ballot));
    const [first] = winners;
    ensure(
      first !== undefined,
      "decided-not-durable",
      () =>
        `${who} decided slot ${slot}, which no accept quorum of ${quorum} among ${describe(voters)} has: ${describeVotes(votes)}`,
    );
    const other = votes.find(
      ({ ballot, identity }) => compare(ballot, first.ballot) > 0 && identity !== first.identity,
    );
    ensure(
      other === undefined,
      "chosen-value-changed",
      () =>
        `slot ${slot} is chosen with ${first.identity}, and ${other?.identity} was accepted under a later ballot`,
    );
    ensure(
      this.#isProposed(first.identity),
      "not-proposed",
      () => `slot ${slot} holds ${first.identity}, which nobody proposed`,
    );
    this.#chosen.push({ ballot: first.ballot, identity: first.identity });
    if (first.configuration === undefined) return;
    this.#configurationBefore = this.#configuration;
    this.#configuration = first.configuration;
  }
}

function acceptQuorum({ voters, quorums }: Configuration): number {
  return quorums === "majority" ? Math.floor(voters.length / 2) + 1 : quorums.accept;
}

function describeVotes(votes: readonly Votes[]): string {
  if (votes.length === 0) return "nothing is accepted there";
  return votes
    .map(
      ({ ballot, identity, replicas }) => `ballot ${ballot.round}: ${identity} at ${describe([...replicas])}`,
    )
    .join("; ");
}

/** Replica identities as node and incarnation. */
function describe(replicas: readonly number[]): string {
  return replicas.map((replica) => `${Math.floor(replica / 2 ** 32)}#${replica % 2 ** 32}`).join(",");
}
