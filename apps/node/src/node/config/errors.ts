/** What keeps a node from starting: a stable code, and a message that names what to correct. */

export type NodeErrorCode =
  /** The configuration cannot be read, or a value in it cannot be. The message has the path of each. */
  | "KHONSU_CONFIG_INVALID"
  /** The node does not know its cluster yet: founders wait for one another. `ready()` resolves once it serves. */
  | "KHONSU_NODE_NOT_READY"
  /** The node is used after it was stopped, or while it stops. */
  | "KHONSU_NODE_STOPPED";

export class NodeError extends Error {
  override readonly name = "NodeError";
  readonly code: NodeErrorCode;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;

  constructor(code: NodeErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = code === "KHONSU_NODE_NOT_READY";
  }
}
