/**
 * One of the two streams of a link, from either end: a call of gRPC, spoken without Connect. Messages come and go as bytes without
 * a turn of the event loop in between; the end is told once.
 */
import type { TransportError } from "../errors.ts";

export interface StreamHandlers {
  /** A message, whole. Whatever it throws ends the stream. */
  onMessage(message: Uint8Array): void;
  /** What was written has been taken: there is room again. */
  onDrain(): void;
  /** The other side has ended the stream, in good order (undefined) or not; or it broke. */
  onEnd(error: TransportError | undefined): void;
}

export interface PeerStream {
  /** Whom the stream tells from now on. */
  handlers: StreamHandlers;
  /** @param message with its prefix; not to be written to afterwards. @returns whether there is room for more before `onDrain` */
  write(message: Uint8Array): boolean;
  /** Ends this side; the one that was called tells the other why. Nothing more comes in. */
  end(error?: TransportError): void;
}

/** For a stream that nobody listens to yet, or any more. */
export const NOBODY: StreamHandlers = Object.freeze({ onMessage() {}, onDrain() {}, onEnd() {} });

export const LINK_PATH = "/khonsu.peer.v1.PeerService/Link";
export const BULK_PATH = "/khonsu.peer.v1.PeerService/Bulk";
