/**
 * A node's links to all others. Carries bytes and knows nothing of what they say: messages for groups, which may be lost, and
 * questions with answers. The rules are numbered in `docs/spec/wire.md`.
 */

import { type Runtime, systemRuntime } from "@khonsu/core";
import { messageOf, TransportError } from "../errors.ts";
import type { Hello } from "../gen/khonsu/peer/v1/peer_pb.ts";
import { resolveLimits } from "../server/limits.ts";
import type { StreamRoutes } from "../server/stream-routes.ts";
import { assertUsable } from "../server/tls.ts";
import { checkHello } from "./handshake.ts";
import type { Link } from "./link.ts";
import { DEFAULT_PEER_LIMITS, type PeerLimits, type PeerNetworkOptions } from "./options.ts";
import { Peer, type PeerContext } from "./peer.ts";
import { type PeerServiceOptions, servePeers } from "./peer-service.ts";
import type { PeerStatus } from "./status.ts";

/** Nodes that may be linked with at a time without being configured, so that nobody can make up any number of them. */
const STRANGERS_MAX = 64;

export class PeerNetwork {
  /** To be registered with the server of the node: `startServer({ routes: network.routes })`. */
  readonly routes: (router: unknown, streams: StreamRoutes) => void;
  readonly #options: PeerNetworkOptions;
  readonly #limits: PeerLimits;
  readonly #runtime: Runtime;
  readonly #context: PeerContext;
  readonly #peers = new Map<number, Peer>();
  #addresses: ReadonlyMap<number, string> = new Map();
  #cancelBeat: () => void = () => {};
  #isClosed = false;

  /** @throws TransportError `KHONSU_INVALID_OPTION`, `KHONSU_TLS_INVALID` */
  constructor(options: PeerNetworkOptions) {
    const { identity, onAsk, onEvent = () => {}, onMessage, runtime = systemRuntime, tls } = options;
    if (tls !== undefined) assertUsable(tls);
    this.#options = options;
    this.#runtime = runtime;
    this.#limits = resolveLimits(DEFAULT_PEER_LIMITS, options.limits);
    const limits = this.#limits;
    this.#context = { limits, runtime, tls, identity, onMessage, onAsk: answering(onAsk), onEvent };
    const service: PeerServiceOptions = {
      limits,
      runtime,
      needsCertificate: tls?.peerAuthority !== undefined,
      identity,
      accept: (hello) => this.#accept(hello),
      linkOf: (id) => this.#linkOf(id),
      onRefused: (remote, { code, message }) => onEvent({ kind: "refused", remote, code, message }),
    };
    this.routes = (_router, streams) => servePeers(streams, service);
    this.#scheduleBeat();
  }

  /** The other nodes and their addresses, `host:port`. This node, if it is among them, is skipped. Links to nodes that are not stay until they end. */
  setPeers(addresses: ReadonlyMap<number, string>): void {
    if (this.#isClosed) return;
    const self = this.#options.identity().node;
    this.#addresses = new Map([...addresses].filter(([node]) => node !== self));
    for (const [node, peer] of this.#peers) if (!this.#addresses.has(node)) peer.setAddress(undefined);
    for (const [node, address] of this.#addresses) this.#peer(node).setAddress(address);
  }

  /**
   * Sends a message, or drops it: there is no link, or its queue is full. A message to this node itself arrives later, too. It is copied
   * before the call returns.
   *
   * @param group a safe integer of 0 or more
   * @param isBulk for what is large and may arrive later than what is sent after it. Default: false.
   * @throws RangeError if `group` is none
   */
  send(node: number, group: number, message: Uint8Array, { bulk: isBulk = false } = {}): void {
    if (!Number.isSafeInteger(group) || group < 0) throw new RangeError(`There is no group ${group}`);
    if (this.#isClosed) return;
    if (node === this.#options.identity().node) {
      const copy = new Uint8Array(message);
      setImmediate(() => !this.#isClosed && this.#options.onMessage(node, group, copy));
    } else this.#peers.get(node)?.send(group, message, isBulk);
  }

  /**
   * Asks a node. Asks this node itself without a network.
   *
   * @param timeoutMs Default: `askTimeoutMs` of the limits.
   * @throws TransportError `KHONSU_PEER_UNREACHABLE`, `KHONSU_PEER_TIMEOUT` (either way it may have been done),
   * `KHONSU_PEER_FAILED`, `KHONSU_OVERLOADED`, `KHONSU_FRAME_TOO_LARGE`, `KHONSU_TRANSPORT_CLOSED`
   */
  ask(
    node: number,
    channel: string,
    body: Uint8Array,
    timeoutMs = this.#limits.askTimeoutMs,
  ): Promise<Uint8Array> {
    if (this.#isClosed) return Promise.reject(closed());
    if (node === this.#options.identity().node) return this.#context.onAsk(node, channel, body).catch(failed);
    const peer = this.#peers.get(node);
    if (peer !== undefined) return peer.ask(channel, body, timeoutMs);
    const message = `There is no link to node ${node}: nothing is known of it`;
    return Promise.reject(new TransportError("KHONSU_PEER_UNREACHABLE", message));
  }

  /** Of all nodes that are known, by number. */
  status(): PeerStatus[] {
    return [...this.#peers.values()].sort((a, b) => a.node - b.node).map((peer) => peer.status());
  }

  /** Ends all links and rejects what was asked. The server is the caller's to stop, afterwards. */
  close(): void {
    this.#isClosed = true;
    this.#cancelBeat();
    for (const peer of this.#peers.values()) peer.close();
  }

  #accept(hello: Hello): Link {
    if (this.#isClosed) throw closed();
    const remote = checkHello(hello, this.#options.identity());
    if (!this.#peers.has(remote.node) && this.#peers.size - this.#addresses.size >= STRANGERS_MAX) {
      throw new TransportError(
        "KHONSU_OVERLOADED",
        `${STRANGERS_MAX} nodes that are not configured are linked already`,
      );
    }
    return this.#peer(remote.node).accept(remote, Buffer.from(hello.link).toString("hex"));
  }

  #peer(node: number): Peer {
    let peer = this.#peers.get(node);
    if (peer === undefined) {
      peer = new Peer(node, this.#context);
      this.#peers.set(node, peer);
    }
    return peer;
  }

  #linkOf(id: string): Link | undefined {
    for (const peer of this.#peers.values()) {
      const link = peer.linkOf(id);
      if (link !== undefined) return link;
    }
    return undefined;
  }

  #scheduleBeat(): void {
    this.#cancelBeat = this.#runtime.schedule(this.#limits.heartbeatMs, () => {
      for (const [node, peer] of this.#peers) {
        peer.beat();
        if (peer.isForgotten) this.#peers.delete(node);
      }
      if (!this.#isClosed) this.#scheduleBeat();
    });
  }
}

/** A handler that throws at once is one that rejects. */
function answering(onAsk: PeerNetworkOptions["onAsk"]): PeerNetworkOptions["onAsk"] {
  return async (from, channel, body) => onAsk(from, channel, body);
}

function closed(): TransportError {
  return new TransportError("KHONSU_TRANSPORT_CLOSED", "The network between the nodes is closed");
}

/** What a question to this node itself rejects with: the same as one to another. */
function failed(cause: unknown): never {
  throw new TransportError("KHONSU_PEER_FAILED", `This node failed: ${messageOf(cause)}`, { cause });
}
