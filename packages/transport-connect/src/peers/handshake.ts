/**
 * Who may link with whom (WIRE-2). Both sides look at the other: the one that is called refuses with an error that says why, and so
 * does the caller when it is answered by somebody else than it called.
 */
import { TransportError } from "../errors.ts";
import type { Hello, Welcome } from "../gen/khonsu/peer/v1/peer_pb.ts";
import type { PeerIdentity, ProtocolRange } from "./options.ts";

/** The versions of the protocol between peers that this code speaks. */
export const PEER_PROTOCOL: ProtocolRange = Object.freeze({ min: 1, max: 1 });

const NODE_MAX = 2 ** 21 - 1;
export const LINK_ID_BYTES = 16;

/** The other side of a link, and the version that both use. */
export interface Agreed extends Omit<PeerIdentity, "speaks"> {
  readonly protocol: number;
}

/** @throws TransportError `KHONSU_FRAME_MALFORMED`, `KHONSU_PROTOCOL_VERSION`, `KHONSU_PEER_MISMATCH` */
export function checkHello(hello: Hello, self: PeerIdentity): Agreed {
  const { clusterId, incarnation, link, node, protocolMax, protocolMin, to } = hello;
  if (link.length !== LINK_ID_BYTES || protocolMin > protocolMax) throw malformedHello();
  const { max, min } = self.speaks ?? PEER_PROTOCOL;
  const protocol = Math.min(protocolMax, max);
  if (protocol < Math.max(protocolMin, min)) {
    throw new TransportError(
      "KHONSU_PROTOCOL_VERSION",
      `Node ${node} speaks versions ${protocolMin} to ${protocolMax}, node ${self.node} speaks ${min} to ${max}`,
    );
  }
  checkCluster(clusterId, self);
  if (to !== self.node) throw mismatch(`This is node ${self.node}, not node ${to}`);
  if (node === self.node) throw mismatch(`This is node ${self.node} itself, or another of the same number`);
  return { protocol, clusterId, node: toNode(node), incarnation: toIncarnation(incarnation) };
}

/** @throws TransportError `KHONSU_FRAME_MALFORMED`, `KHONSU_PROTOCOL_VERSION`, `KHONSU_PEER_MISMATCH` */
export function checkWelcome(welcome: Welcome, called: number, self: PeerIdentity): Agreed {
  const { clusterId, incarnation, node, protocol } = welcome;
  const { max, min } = self.speaks ?? PEER_PROTOCOL;
  if (protocol < min || protocol > max) {
    throw new TransportError(
      "KHONSU_PROTOCOL_VERSION",
      `Node ${node} chose version ${protocol}, which was not offered`,
    );
  }
  checkCluster(clusterId, self);
  if (node !== called) throw mismatch(`Node ${node} answered in place of node ${called}`);
  return { protocol, clusterId, node: toNode(node), incarnation: toIncarnation(incarnation) };
}

function checkCluster(clusterId: string, self: PeerIdentity): void {
  if (clusterId === self.clusterId || clusterId === "" || self.clusterId === "") return;
  throw mismatch(
    `Node ${self.node} belongs to cluster ${quoted(self.clusterId)}, the other to ${quoted(clusterId)}`,
  );
}

function toNode(node: number): number {
  if (node < 1 || node > NODE_MAX) throw malformedHello();
  return node;
}

function toIncarnation(incarnation: bigint): number {
  if (incarnation >= 2n ** 32n) throw malformedHello();
  return Number(incarnation);
}

function mismatch(message: string): TransportError {
  return new TransportError("KHONSU_PEER_MISMATCH", message);
}

function malformedHello(): TransportError {
  return new TransportError("KHONSU_FRAME_MALFORMED", "The link does not begin as the protocol says");
}

/** What somebody sent, fit for a log. */
function quoted(text: string): string {
  return JSON.stringify(text.length <= 64 ? text : `${text.slice(0, 64)}...`);
}
