/** What a node says about itself, and what it allows its peers; each limit with its unit and default. */
import type { Runtime } from "@khonsu/core";
import type { TlsIdentity } from "../server/tls.ts";
import type { PeerEvent } from "./status.ts";

export interface PeerIdentity {
  /** Empty while the node belongs to no cluster yet: it may link with any then. */
  readonly clusterId: string;
  /** From 1 to 2 097 151. */
  readonly node: number;
  /** Of the node's disk: higher with each one that was lost. 0 while it is not known, as on an empty disk. */
  readonly incarnation: number;
  /** The versions of the protocol that it speaks. Default: all that this code speaks; others are for tests of upgrades. */
  readonly speaks?: ProtocolRange | undefined;
}

/** Versions of a protocol: the lowest and the highest. */
export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

export interface PeerLimits {
  /** Bytes of one message, question or answer. Default 16 MiB. */
  readonly messageBytesMax: number;
  /** Bytes that are sent as one piece, a last message beyond it included whole. Default 240 KiB. */
  readonly batchBytesMax: number;
  /** Bytes that wait for one node, on each of its two streams; further messages are dropped. Default 32 MiB. */
  readonly queueBytesMax: number;
  /** Questions of one node that are being answered here; further ones are refused. Default 4096. */
  readonly servedMax: number;
  /** Questions to one node without an answer; further ones are refused. Default 16 384. */
  readonly asksMax: number;
  /** Milliseconds for an answer, unless `ask` says otherwise. Default 10,000. */
  readonly askTimeoutMs: number;
  /** Milliseconds from dialling to the end of the handshake. Default 2,000. */
  readonly dialTimeoutMs: number;
  /** The shortest and the longest pause before a node is dialled again, in milliseconds. Defaults 50 and 2,000. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** How long the node with the higher number waits to be dialled before it dials itself, in milliseconds. Default 300. */
  readonly courtesyMs: number;
  /** Milliseconds between signs of life on a link. Default 1,000. */
  readonly heartbeatMs: number;
  /** Heartbeats in a row without anything from the other side, after which the link is given up. Default 4. */
  readonly silentHeartbeatsMax: number;
  /** Bytes that may be under way on one stream and on the connection. Defaults 1 MiB and 8 MiB. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_PEER_LIMITS: PeerLimits = Object.freeze({
  messageBytesMax: 16 * MIB,
  // A little below a power of two: the buffers underneath grow by doubling.
  batchBytesMax: 240 * KIB,
  queueBytesMax: 32 * MIB,
  servedMax: 4096,
  asksMax: 16_384,
  askTimeoutMs: 10_000,
  dialTimeoutMs: 2000,
  backoffMinMs: 50,
  backoffMaxMs: 2000,
  courtesyMs: 300,
  heartbeatMs: 1000,
  silentHeartbeatsMax: 4,
  streamWindowBytes: MIB,
  connectionWindowBytes: 8 * MIB,
});

export interface PeerNetworkOptions {
  /** Asked at each handshake, so that a node may come to know its cluster later. */
  readonly identity: () => PeerIdentity;
  /** A message for a group, from a node that is authenticated. The bytes are the receiver's, and must not be written to. */
  readonly onMessage: (from: number, group: number, message: Uint8Array) => void;
  /** Answers a question. A rejection goes to the asker with its `code`, if it has one. */
  readonly onAsk: (from: number, channel: string, body: Uint8Array) => Promise<Uint8Array>;
  /**
   * What this node shows when it dials. With `peerAuthority`, those who dial this node must show a certificate of it as well, so
   * the server must have the same. Default: no TLS.
   */
  readonly tls?: TlsIdentity | undefined;
  readonly limits?: Partial<PeerLimits>;
  /** Clock, timers and randomness for pacing. Default: the machine's. */
  readonly runtime?: Runtime;
  /** For a log. Must not throw. */
  readonly onEvent?: (event: PeerEvent) => void;
}

/** Bytes of a message of gRPC between nodes: a batch, which may end with a message at its limit. */
export function frameBytesMax({ batchBytesMax, messageBytesMax }: PeerLimits): number {
  return messageBytesMax + batchBytesMax + 1024;
}
