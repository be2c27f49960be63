/**
 * Errors of this package: a stable code, and whether the same call can succeed later. Compare `code`. `docs/errors.md` says
 * what to do about each.
 */

export type TransportErrorCode =
  /** An option has a value that it cannot have; the message names it. */
  | "KHONSU_INVALID_OPTION"
  /** A certificate, a key, or the file that should hold it, cannot be used. */
  | "KHONSU_TLS_INVALID"
  /** The address cannot be listened on. */
  | "KHONSU_LISTEN_FAILED"
  /** The network, or the server, was closed before the call, or meanwhile. */
  | "KHONSU_TRANSPORT_CLOSED"
  /** There is no link to the node, or it broke before the answer came: what was asked may have been done. Retryable. */
  | "KHONSU_PEER_UNREACHABLE"
  /** The node did not answer in time: what was asked may have been done. Retryable. */
  | "KHONSU_PEER_TIMEOUT"
  /** The node answered that it could not do what was asked; the message is its own. */
  | "KHONSU_PEER_FAILED"
  /** Too much is under way, here or at the node: nothing was done. Retryable, after a pause. */
  | "KHONSU_OVERLOADED"
  /** The node presented no certificate of the peers' authority. */
  | "KHONSU_PEER_UNAUTHENTICATED"
  /** The two nodes speak no version of the protocol in common. Upgrade the older one. */
  | "KHONSU_PROTOCOL_VERSION"
  /** The node belongs to another cluster, or is another one than was dialled. */
  | "KHONSU_PEER_MISMATCH"
  /** The node was there under a higher incarnation: this one has lost its disk, or was removed. */
  | "KHONSU_PEER_STALE"
  /** Bytes that are no frame, or no message, of the protocol. Nothing was done with them. */
  | "KHONSU_FRAME_MALFORMED"
  /** A message larger than the limit; the message names both. */
  | "KHONSU_FRAME_TOO_LARGE"
  /** The client gave no token, or one that is unknown or has expired. Nothing was done. */
  | "KHONSU_UNAUTHENTICATED"
  /** The file of tokens cannot be used; the message says where and why. */
  | "KHONSU_TOKENS_INVALID"
  /** The address belongs to another cluster than the one that the client is connected to. */
  | "KHONSU_CLUSTER_MISMATCH"
  /** The client was silent for too long, or read its replies too slowly. Connect again. Retryable. */
  | "KHONSU_CLIENT_TOO_SLOW"
  /** Something went wrong in the node that has no code; its log says what. */
  | "KHONSU_INTERNAL";

const RETRYABLE: ReadonlySet<TransportErrorCode> = new Set([
  "KHONSU_PEER_UNREACHABLE",
  "KHONSU_PEER_TIMEOUT",
  "KHONSU_OVERLOADED",
  "KHONSU_CLIENT_TOO_SLOW",
]);

export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: TransportErrorCode;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;

  constructor(code: TransportErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = RETRYABLE.has(code);
  }
}

/** What an error, or whatever else was thrown, says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
