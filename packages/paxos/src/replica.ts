/** A replica: inputs in, effects out. */
import type { Recovered } from "./acceptor-storage.ts";
import type { Effect } from "./effect.ts";
import type { Input } from "./input.ts";
import type { ReplicaOptions } from "./options.ts";
import type { Status } from "./status.ts";

/** The shape of `Replica`. One instance is one run of one replica; after a crash make a new one from what storage recovered. */
export interface ReplicaMachine {
  /** To be called once, before any `step`, with the state machine being the image of `recovered.checkpoint` (or new). */
  start(): readonly Effect[];
  /** @throws PaxosError when an invariant does not hold; the replica then is fenced. */
  step(input: Input): readonly Effect[];
  status(): Status;
}

export type ReplicaConstructor = new (options: ReplicaOptions, recovered: Recovered) => ReplicaMachine;
