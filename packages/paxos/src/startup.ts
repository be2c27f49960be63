/** Builds the parts of a replica from what its disk holds: whose disk it is, which entries can be read, where to apply from. */

import { Acceptor } from "./acceptor.ts";
import type { Recovered } from "./acceptor-storage.ts";
import { sameBallot } from "./ballot.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isIntact } from "./checksum.ts";
import type { Configuration } from "./configuration.ts";
import type { Context } from "./context.ts";
import { PaxosError } from "./errors.ts";
import { Learner, type LearnerEvents } from "./learner.ts";
import { Log } from "./log.ts";
import { isMember, problemOf } from "./membership.ts";
import { type ReplicaOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { formatReplica } from "./replica-id.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";

/** How many trimmed slots a replica without its image makes room for, to apply from slot 1; beyond that it needs an image. */
const REPLAY_SLOTS_MAX = 2 ** 20;

export interface Parts {
  readonly context: Context;
  readonly acceptor: Acceptor;
  readonly learner: Learner;
  readonly checkpoint: Checkpoint | undefined;
  readonly genesis: Configuration | undefined;
  /** Whether the disk was in use before. */
  readonly restarted: boolean;
}

/** @throws PaxosError `KHONSU_INVALID_OPTION` or `KHONSU_IDENTITY_MISMATCH`. */
export function startUp(given: ReplicaOptions, recovered: Recovered, events: LearnerEvents): Parts {
  const options = resolveOptions(given);
  const genesis = genesisOf(options, recovered);
  const { self } = options;
  // An image that cannot be read stands for nothing: the replica applies from slot 1, or from an image of a peer.
  const usable = recovered.preface === undefined ? undefined : recovered.checkpoint;
  const replays = usable === undefined && recovered.trimmed <= REPLAY_SLOTS_MAX;
  const log = new Log(replays ? NO_SLOT : recovered.trimmed);
  const context: Context = { self, options, outbox: new Outbox(self), log, now: 0 };
  const doubtful = fillLog(log, recovered);
  const certain = certainThrough(log, usable?.slot ?? NO_SLOT, recovered.decided);
  const lostThrough = certain < recovered.decided ? recovered.decided : NO_SLOT;
  const acceptor = new Acceptor(context, recovered.promised, doubtful, certain, lostThrough);
  const learner = new Learner(context, genesis ?? recovered.checkpoint?.configuration, events);
  learner.decide(certain);
  if (usable !== undefined && recovered.preface !== undefined) learner.startFrom(usable, recovered.preface);
  return {
    context,
    acceptor,
    learner,
    checkpoint: usable,
    genesis,
    restarted: recovered.replica !== undefined,
  };
}

function genesisOf({ self, start }: ResolvedOptions, recovered: Recovered): Configuration | undefined {
  const name = formatReplica(self);
  if (recovered.replica !== undefined) {
    if (recovered.replica === self) return recovered.genesis;
    const owner = formatReplica(recovered.replica);
    throw new PaxosError(
      "KHONSU_IDENTITY_MISMATCH",
      `Cannot start replica ${name}: the disk belongs to ${owner}`,
    );
  }
  switch (start.kind) {
    case "restart":
      throw new PaxosError("KHONSU_IDENTITY_MISMATCH", `Cannot restart replica ${name}: the disk is empty`);
    case "join":
      return undefined;
    case "found": {
      const member = isMember(start.configuration, self) ? undefined : `${name} is not in it`;
      const problem = problemOf(start.configuration) ?? member;
      if (problem === undefined) return start.configuration;
      throw new PaxosError(
        "KHONSU_INVALID_OPTION",
        `Cannot found a group with this configuration: ${problem}`,
      );
    }
  }
}

/**
 * The decided index that this replica can stand for: up to the first entry that it cannot read. What lies behind may be readable here
 * alone, so to claim it would keep everybody waiting for what nobody can serve (PX-14).
 */
function certainThrough(log: Log, applied: Slot, decided: Slot): Slot {
  let certain = applied;
  while (certain < decided && log.entryAt(slotAfter(certain)) !== undefined) certain = slotAfter(certain);
  return certain;
}

/** Returns the slots above the decided index whose acknowledged vote cannot be read (PX-14). */
function fillLog(log: Log, recovered: Recovered): Slot[] {
  const doubtful: Slot[] = [];
  const { promised } = recovered;
  for (const { slot, ballot, entry } of recovered.entries) {
    if (slot <= log.trimmed) continue;
    // The acceptor compares ballots by identity, so equal ones must be one object.
    if (entry !== undefined && isIntact(entry, slot))
      log.set(slot, sameBallot(ballot, promised) ? promised : ballot, entry);
    else if (slot > recovered.decided) doubtful.push(slot);
  }
  return doubtful;
}
