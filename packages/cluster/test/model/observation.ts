/** What is seen of a transaction from outside: all that the oracles know. */
import type { TransactionId } from "@khonsu/2pc";
import type { IsolationLevel } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";

/** Of a put: what becomes of it when somebody else has written the key. `merge` adds the row to whatever is there. */
export type WriteKind =
  | "put"
  | "delete"
  | "merge"
  | "ensure"
  | "put or replace"
  | "put or ignore"
  | "put or append";

export interface ObservedRead {
  readonly key: string;
  /** The names in the value, "" for absent. */
  readonly value: string;
  /** The step at which it was asked for. */
  readonly step: number;
}

export type ClientKind = "writer" | "strict reader" | "snapshot reader" | "single-shard reader";

export interface Observation {
  readonly name: number;
  readonly session: number;
  readonly kind: ClientKind;
  readonly isolation: IsolationLevel;
  /** Steps of the world's time. */
  readonly begin: number;
  /** Infinite where the client never heard. */
  end: number;
  /** Where it read; under read committed where it began. */
  snapshot: number;
  /** The last attempt's. */
  reads: ObservedRead[];
  readonly writes: Map<string, WriteKind>;
  /** Whether something it writes replaces what is there when it is applied: it began then, for all that it knows. */
  isBlind: boolean;
  /** Keys that it has read back after it wrote them. */
  readonly readBack: Set<string>;
  /** Keys that were dropped, in truth. */
  ignored: readonly string[];
  /** What the client was told. "expired" is unknown as well, with nothing in flight. */
  told: "nothing" | "committed" | "not applied" | "expired";
  toldTimestamp: CommitTimestamp | undefined;
  id: TransactionId | undefined;
  /** What became of it in truth, and where it stands by its timestamp. */
  timestamp: CommitTimestamp | undefined;
}

/** Thrown where a history cannot be right. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export function describe(observations: readonly Observation[]): string {
  return observations
    .map(({ name, session, kind, isolation, told, begin, end, timestamp, snapshot, reads, writes }) => {
      const read = reads.map(({ key, value, step }) => `r(${key})=[${value}]@${step}`).join(" ");
      const written = [...writes].map(([key, write]) => `${write}(${key})`).join(" ");
      const times = `[${begin},${end}] T=${snapshot} c=${timestamp ?? "-"}`;
      return `T${name} s${session} ${kind} ${isolation} told ${told} ${times}: ${read} ${written}`;
    })
    .join("\n");
}
