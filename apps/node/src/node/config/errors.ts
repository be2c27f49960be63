/** What keeps a node from starting: a stable code, and a message that names what to correct. */

export type NodeErrorCode =
  /** The configuration cannot be read, or a value in it cannot be. The message has the path of each. */
  | "KHONSU_CONFIG_INVALID"
  /** The node is used after it was stopped, or while it stops. */
  | "KHONSU_NODE_STOPPED";

export class NodeError extends Error {
  override readonly name = "NodeError";
  readonly code: NodeErrorCode;
  readonly retryable = false;

  constructor(code: NodeErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
