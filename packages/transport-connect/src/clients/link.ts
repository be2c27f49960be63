/** A connection of a client to one node, as those who ask over it see it. */
import type { TransportError } from "../errors.ts";
import type { DescribeResponse, Question } from "../gen/khonsu/client/v1/client_pb.ts";

export type Asked = Question["question"];

export interface Link {
  readonly address: string;
  readonly description: DescribeResponse;
  /**
   * Asks; rejects with `KHONSU_PEER_UNREACHABLE` when the link broke before the answer was there.
   *
   * @param onSent called once the question is on its way: from then on it may have been carried out
   */
  ask(question: Asked, bytes: number, isWait: boolean, onSent: () => void): Promise<Uint8Array>;
  /** Ends the link once nothing is under way. */
  retire(reason: TransportError): void;
  /** Ends the link, and with it what is under way. */
  close(reason: TransportError): void;
  /** Resolves when the link is of no use any more. */
  readonly broken: Promise<TransportError>;
}

/** Opens a link; rejects when the address cannot be reached, or what is there cannot be used. */
export type OpenLink = (address: string, signal: AbortSignal) => Promise<Link>;
