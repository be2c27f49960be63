/** What is known of a connection before a request on it is looked at: handlers authenticate by it. */
import type { TLSSocket } from "node:tls";
import { type ContextKey, createContextKey } from "@connectrpc/connect";
import { certifiedAs } from "./certificate.ts";
import type { NodeRequest } from "./connect-handler.ts";

export interface ConnectionInfo {
  /** `address:port` of the other side. */
  readonly remote: string;
  readonly isEncrypted: boolean;
  /** Whether the other side presented a certificate that the authority of the peers signed. */
  readonly isPeer: boolean;
  /** The same of the authority of the clients. */
  readonly isClient: boolean;
}

const UNKNOWN: ConnectionInfo = { remote: "unknown", isEncrypted: false, isPeer: false, isClient: false };

/** `context.values.get(connectionKey)` in a handler. */
export const connectionKey: ContextKey<ConnectionInfo> = createContextKey(UNKNOWN, {
  description: "the connection of the request",
});

export function connectionOf(request: NodeRequest): ConnectionInfo {
  const socket = request.socket as Partial<TLSSocket> | undefined;
  if (socket === undefined) return UNKNOWN;
  const { remoteAddress, remotePort } = socket;
  return {
    remote: remoteAddress === undefined ? "unknown" : `${remoteAddress}:${remotePort}`,
    isEncrypted: socket.encrypted === true,
    ...certifiedAs(socket),
  };
}
