/**
 * Another node as seen from here: at most one link, whoever dialled it. The node with the lower number dials at once; the other
 * waits a moment to be dialled, and then dials as well, since it may be the only one that knows the other's address. If both did,
 * the link that the lower one dialled stays (WIRE-6), and both sides can tell which that is.
 */
import type { Runtime } from "@khonsu/core";
import { TransportError } from "../errors.ts";
import type { TlsIdentity } from "../server/tls.ts";
import { dial } from "./dial.ts";
import type { Agreed } from "./handshake.ts";
import { Link } from "./link.ts";
import type { PeerIdentity, PeerLimits } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { type Dropped, type LinkState, type PeerEvent, type PeerStatus, TrafficCounter } from "./status.ts";

/** What a peer needs of the network that it belongs to. */
export interface PeerContext {
  readonly limits: PeerLimits;
  readonly runtime: Runtime;
  readonly tls: TlsIdentity | undefined;
  identity(): PeerIdentity;
  onMessage(from: number, group: number, body: Uint8Array): void;
  onAsk(from: number, channel: string, body: Uint8Array): Promise<Uint8Array>;
  onEvent(event: PeerEvent): void;
}

/** After a link that lasted less than this, in milliseconds, the pauses between attempts go on growing. */
const SHORT_LIVED_MS = 1000;

export class Peer {
  readonly node: number;
  readonly #context: PeerContext;
  #address: string | undefined;
  #state: LinkState = "unknown";
  #link: Link | undefined;
  /** Links that give way to another, until what was asked over them is answered. */
  readonly #yielding = new Set<Link>();
  /** For the next link, while it is likely to come soon. */
  #outbox: Outbox | undefined;
  #attempt: AbortController | undefined;
  #cancelTimer: () => void = () => {};
  #failures = 0;
  #isClosed = false;
  /** The highest incarnation that was seen. */
  #incarnation = 0;
  #links = 0;
  #lastError: TransportError | undefined;
  readonly #sent = new TrafficCounter();
  readonly #received = new TrafficCounter();
  readonly #dropped: Dropped = { unreachable: 0, full: 0, tooLarge: 0 };

  constructor(node: number, context: PeerContext) {
    this.node = node;
    this.#context = context;
  }

  /** Whether nothing is known of the node and nothing goes on with it. */
  get isForgotten(): boolean {
    return this.#address === undefined && this.#link === undefined && this.#yielding.size === 0;
  }

  /** `host:port`; undefined: it is not to be dialled any more. A link that is up stays. */
  setAddress(address: string | undefined): void {
    if (address === this.#address) return;
    this.#address = address;
    this.#giveUp();
    this.#cancelTimer();
    if (this.#link === undefined) this.#begin();
  }

  send(group: number, body: Uint8Array, isBulk: boolean): void {
    const outbox = this.#link?.outbox ?? this.#outbox;
    if (outbox === undefined) this.#dropped.unreachable++;
    else outbox.message(group, body, isBulk);
  }

  ask(channel: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const outbox = this.#link?.outbox ?? this.#outbox;
    if (outbox !== undefined) return outbox.question(channel, body, timeoutMs);
    this.#dropped.unreachable++;
    return Promise.reject(this.#unreachable());
  }

  /**
   * A link that the node dialled: the one that is there gives way, or this one does.
   *
   * @throws TransportError `KHONSU_PEER_STALE`; `KHONSU_TRANSPORT_CLOSED`
   */
  accept(remote: Agreed, id: string): Link {
    return this.#establish(remote, id, this.node);
  }

  /** The link of that handshake, if it is there. */
  linkOf(id: string): Link | undefined {
    return [this.#link, ...this.#yielding].find((link) => link?.id === id);
  }

  beat(): void {
    this.#link?.beat();
    for (const link of this.#yielding) {
      link.beat();
      if (link.isIdle && link.dialledBy !== this.node) link.end(this.#yielded());
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#giveUp();
    const error = closed();
    for (const link of [this.#link, ...this.#yielding]) link?.end(error);
    this.#takeOutbox()?.end(error);
  }

  status(): PeerStatus {
    const link = this.#link;
    return {
      node: this.node,
      address: this.#address,
      state: this.#state,
      link: link && {
        incarnation: link.remote.incarnation,
        protocol: link.remote.protocol,
        dialledBy: link.dialledBy,
        roundTripMs: link.roundTripMs,
        asked: link.outbox.asks.size,
        serving: link.serving,
      },
      queuedBytes: (link?.outbox ?? this.#outbox)?.queuedBytes ?? 0,
      sent: this.#sent.view(),
      received: this.#received.view(),
      dropped: { ...this.#dropped },
      links: this.#links,
      lastError: this.#lastError && { code: this.#lastError.code, message: this.#lastError.message },
    };
  }

  /** The first attempt at an address. */
  #begin(): void {
    if (this.#isClosed) return;
    if (this.#address === undefined) {
      this.#state = "unknown";
      this.#takeOutbox()?.end(this.#unreachable());
      return;
    }
    this.#outbox ??= this.#newOutbox();
    if (this.#context.identity().node < this.node) {
      this.#dial();
      return;
    }
    this.#state = "waiting";
    this.#cancelTimer = this.#context.runtime.schedule(this.#context.limits.courtesyMs, () => this.#dial());
  }

  /**
   * After a link broke: at once, whichever number is lower, so that a node that is gone is known to be at once; but not if that has
   * just been done.
   */
  #redial(): void {
    if (this.#address === undefined || this.#failures > 0) {
      this.#dialLater();
      return;
    }
    this.#failures = 1;
    this.#state = "connecting";
    this.#outbox ??= this.#newOutbox();
    this.#dial();
  }

  #dial(): void {
    const address = this.#address;
    if (address === undefined || this.#isClosed) return;
    this.#giveUp();
    if (this.#state !== "down") this.#state = "connecting";
    const { limits, runtime, tls } = this.#context;
    const attempt = new AbortController();
    this.#attempt = attempt;
    const cancelTimeout = runtime.schedule(limits.dialTimeoutMs, () => attempt.abort(this.#late(address)));
    const self = this.#context.identity();
    const establish = (remote: Agreed, id: string) => {
      cancelTimeout();
      if (attempt.signal.aborted) throw closed();
      this.#attempt = undefined;
      return this.#establish(remote, id, self.node);
    };
    dial({ address, node: this.node, self, limits, tls, signal: attempt.signal, establish })
      .catch((error: TransportError) => this.#onFailure(attempt, error))
      .finally(cancelTimeout);
  }

  /** Ends the attempt that is under way, and forgets it. */
  #giveUp(): void {
    this.#attempt?.abort(closed());
    this.#attempt = undefined;
  }

  /** An attempt came to nothing. Those that were given up for another link, or another address, do not count. */
  #onFailure(attempt: AbortController, error: TransportError): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = undefined;
    if (this.#isClosed || this.#link !== undefined) return;
    this.#lastError = error;
    this.#context.onEvent({ kind: "down", node: this.node, code: error.code, message: error.message });
    this.#dialLater();
  }

  #dialLater(): void {
    const { limits, runtime } = this.#context;
    this.#state = this.#address === undefined ? "unknown" : "down";
    this.#takeOutbox()?.end(this.#unreachable());
    if (this.#address === undefined) return;
    const longest = Math.min(limits.backoffMaxMs, limits.backoffMinMs * 2 ** Math.min(this.#failures++, 20));
    this.#cancelTimer();
    this.#cancelTimer = runtime.schedule(longest * (0.5 + runtime.random() / 2), () => this.#dial());
  }

  #establish(remote: Agreed, id: string, dialledBy: number): Link {
    if (this.#isClosed) throw closed();
    // WIRE-3. One that does not know its incarnation yet may have lost its disk: it must be able to ask for another one.
    if (remote.incarnation > 0 && remote.incarnation < this.#incarnation) {
      const message = `Node ${this.node} was here as incarnation ${this.#incarnation}, and now is ${remote.incarnation}`;
      throw new TransportError("KHONSU_PEER_STALE", message);
    }
    this.#incarnation = Math.max(this.#incarnation, remote.incarnation);
    const { limits, runtime } = this.#context;
    const establishedAt = runtime.now();
    const link: Link = new Link({
      remote,
      dialledBy,
      id,
      // What waits for a link takes the first that comes, whoever dialled it.
      outbox: this.#takeOutbox() ?? this.#newOutbox(),
      limits,
      runtime,
      received: this.#received,
      handlers: {
        onMessage: (group, body) => this.#onMessage(group, body),
        onAsk: (channel, body) => this.#context.onAsk(this.node, channel, body),
        onEnd: (error) => this.#onEnd(link, error, runtime.now() - establishedAt),
      },
    });
    this.#adopt(link);
    return link;
  }

  /** Makes the link the one that is used, or the one that gives way. */
  #adopt(link: Link): void {
    const current = this.#link;
    const lower = Math.min(this.node, this.#context.identity().node);
    if (current !== undefined && current.dialledBy !== link.dialledBy && current.dialledBy === lower) {
      this.#yielding.add(link);
      return;
    }
    this.#link = link;
    this.#state = "up";
    this.#links++;
    this.#cancelTimer();
    if (current?.dialledBy === link.dialledBy) current.end(this.#yielded());
    else if (current !== undefined) this.#yielding.add(current);
    const { dialledBy, remote } = link;
    this.#context.onEvent({ kind: "up", node: this.node, dialledBy, protocol: remote.protocol });
  }

  #onMessage(group: number, body: Uint8Array): void {
    try {
      this.#context.onMessage(this.node, group, body);
    } catch (error) {
      this.#context.onEvent({ kind: "handler-failed", node: this.node, error });
    }
  }

  #onEnd(link: Link, error: TransportError, livedMs: number): void {
    if (this.#yielding.delete(link) || this.#link !== link) return;
    this.#link = undefined;
    if (this.#isClosed) return;
    this.#lastError = error;
    this.#context.onEvent({ kind: "down", node: this.node, code: error.code, message: error.message });
    if (livedMs >= SHORT_LIVED_MS) this.#failures = 0;
    this.#redial();
  }

  #newOutbox(): Outbox {
    const { limits, runtime } = this.#context;
    return new Outbox({ node: this.node, limits, runtime, sent: this.#sent, dropped: this.#dropped });
  }

  #takeOutbox(): Outbox | undefined {
    const outbox = this.#outbox;
    this.#outbox = undefined;
    return outbox;
  }

  #unreachable(): TransportError {
    const last = this.#lastError;
    const why = last === undefined ? "its address is not known" : last.message;
    const message = `There is no link to node ${this.node}: ${why}`;
    return new TransportError("KHONSU_PEER_UNREACHABLE", message, { cause: last });
  }

  #late(address: string): TransportError {
    const message = `Node ${this.node} at ${address} did not answer within ${this.#context.limits.dialTimeoutMs} ms`;
    return new TransportError("KHONSU_PEER_UNREACHABLE", message);
  }

  #yielded(): TransportError {
    return new TransportError("KHONSU_PEER_UNREACHABLE", `The link to node ${this.node} gave way to another`);
  }
}

function closed(): TransportError {
  return new TransportError("KHONSU_TRANSPORT_CLOSED", "The network between the nodes is closed");
}
