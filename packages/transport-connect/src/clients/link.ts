/** A connection of a client to one node, as those who ask over it see it. */
import type { TransportError } from "../errors.ts";
import type { DescribeResponse } from "../gen/khonsu/client/v1/client_pb.ts";

/** A question, over whichever links it goes. */
export interface Asked {
  /** Undefined: it is for the coordinator of the node. */
  readonly shard: number | undefined;
  /** A `ShardRequest` or a `CoordinatorRequest`. */
  readonly body: Uint8Array;
  /** How long one replica may take, in milliseconds. 0: as the node has it. */
  readonly patienceMs: number;
  /** Whether it waits for a change, and so may take long. */
  readonly isWait: boolean;
  /** Set once it is on its way: from then on it may have been carried out. */
  isSent: boolean;
}

export interface Link {
  readonly address: string;
  readonly description: DescribeResponse;
  /**
   * Asks; rejects with `KHONSU_PEER_UNREACHABLE` when the link broke before the answer was there, and with `KHONSU_PEER_TIMEOUT` when there
   * is none within `limitMs` milliseconds.
   */
  ask(asked: Asked, limitMs: number): Promise<Uint8Array>;
  /** Ends the link once nothing is under way. */
  retire(reason: TransportError): void;
  /** Ends the link, and with it what is under way. */
  close(reason: TransportError): void;
  /** Resolves when the link is of no use any more. */
  readonly broken: Promise<TransportError>;
}

/** Opens a link; rejects when the address cannot be reached, or what is there cannot be used. */
export type OpenLink = (address: string, signal: AbortSignal) => Promise<Link>;
