/** What the roles of one replica share: who it is, what time it is, where effects go, and the log that all of them speak of. */
import type { Log } from "./log.ts";
import type { ResolvedOptions } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import type { ReplicaId } from "./replica-id.ts";

export interface Context {
  readonly self: ReplicaId;
  readonly options: ResolvedOptions;
  readonly outbox: Outbox;
  readonly log: Log;
  /** Ticks since the replica started. */
  now: number;
}
