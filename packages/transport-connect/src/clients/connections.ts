/**
 * The links of a client. One is there for whatever has no better place: to the first node that answers, to another one when that is
 * lost or of no use. The others are to nodes that lead what the client asks for: made in the background when first needed, one a node,
 * and no request waits for one. Addresses of the cluster's members are learnt from the nodes, so that one that is right suffices
 * to begin with.
 */
import { ClusterError } from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import { messageOf, TransportError } from "../errors.ts";
import { isCoded } from "./failure.ts";
import { LeaderMap } from "./leader-map.ts";
import type { Link, OpenLink } from "./link.ts";
import type { LeaderHints } from "./session-codec.ts";

export interface ConnectionsOptions {
  /** host:port, at least one. */
  readonly addresses: readonly string[];
  readonly open: OpenLink;
  readonly runtime: Runtime;
  /** How long an attempt may take, in milliseconds. */
  readonly connectMs: number;
}

/** What no other address would mend. */
const FATAL: ReadonlySet<string> = new Set([
  "KHONSU_UNAUTHENTICATED",
  "KHONSU_PROTOCOL_VERSION",
  "KHONSU_TLS_INVALID",
]);

/** A name or an IP address, IPv6 in brackets, and a port. */
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@?#[\]]+):\d{1,5}$/;

/** How long what is under way on a link that was left may still be answered, in milliseconds. */
const RETIRED_MS = 30_000;
const PAUSE_MIN_MS = 20;
const PAUSE_MAX_MS = 250;
/** How long a node that was left, or could not be reached, is not dialled directly, in milliseconds; longer each time. */
const AVOID_MIN_MS = 1000;
const AVOID_MAX_MS = 60_000;

interface Avoided {
  readonly until: number;
  readonly failures: number;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #addresses: string[];
  #next = 0;
  /** Where whatever has no better place goes; one of `byNode`. */
  #current: Link | undefined;
  #connecting: Promise<Link> | undefined;
  readonly #byNode = new Map<number, Link>();
  readonly #leaders = new LeaderMap();
  readonly #dialling = new Set<number>();
  readonly #avoided = new Map<number, Avoided>();
  /** Of the cluster that the first node belonged to. */
  #clusterId: string | undefined;
  #closed: TransportError | undefined;
  readonly #abort = new AbortController();
  /** Those that were left and still have something under way among them. */
  readonly #links = new Set<Link>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#addresses = [...new Set(options.addresses)];
    if (this.#addresses.length === 0) throw invalid("there are no addresses");
    for (const address of this.#addresses) {
      if (!ADDRESS.test(address))
        throw invalid(`${JSON.stringify(address)} is no address, such as "10.0.0.1:50051"`);
    }
  }

  /** Where the client is connected to at the moment, for whatever has no better place. */
  get address(): string | undefined {
    return this.#current?.address;
  }

  /** All addresses that are known. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** The nodes to which there is a link. */
  get nodes(): readonly number[] {
    return [...this.#byNode.keys()];
  }

  /** Takes what a node says of who leads. */
  onLeaders(hints: LeaderHints): void {
    this.#leaders.take(hints);
    this.#learn(hints.members.map(({ address }) => address));
  }

  /**
   * The link to the node that leads a shard, as far as that is known; else any that is there. A link that would be better is made
   * meanwhile: nobody waits for it.
   *
   * @returns undefined if there is none at all
   */
  linkTo(shard: number): Link | undefined {
    const node = this.#leaders.leaderOf(shard);
    if (node === undefined) return this.#current;
    const link = this.#byNode.get(node);
    if (link === undefined && this.#current !== undefined) this.#dial(node);
    return link ?? this.#current;
  }

  /**
   * A link, tried for until `deadline` by the clock of the runtime.
   *
   * @throws ClusterError `KHONSU_UNAVAILABLE` if no node can be reached in time, `KHONSU_STORE_CLOSED`; what the nodes say where
   *   trying on is of no use
   */
  async link(deadline: number): Promise<Link> {
    const { runtime } = this.#options;
    for (let round = 0; ; round++) {
      if (this.#closed !== undefined) throw closedError(this.#closed);
      if (this.#current !== undefined) return this.#current;
      this.#connecting ??= this.#connect().finally(() => {
        this.#connecting = undefined;
      });
      try {
        return await this.#connecting;
      } catch (error) {
        if (isCoded(error) && FATAL.has(error.code)) throw error;
        if (runtime.now() >= deadline) {
          const message = `No node can be reached: ${messageOf(error)}`;
          throw new ClusterError("KHONSU_UNAVAILABLE", message, { retryable: true, cause: error });
        }
      }
      const most = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** round);
      await new Promise<void>((resolve) => runtime.schedule(most * (0.5 + 0.5 * runtime.random()), resolve));
    }
  }

  /** Goes elsewhere from now on; what is under way on the link may still be answered. */
  leave(link: Link): void {
    const { node } = link.description;
    if (this.#byNode.get(node) !== link) return;
    this.#drop(link);
    this.#avoid(node, 0);
    const reason = new TransportError(
      "KHONSU_PEER_UNREACHABLE",
      `The client has gone elsewhere from ${link.address}`,
    );
    link.retire(reason);
    const cancel = this.#options.runtime.schedule(RETIRED_MS, () => link.close(reason));
    void link.broken.then(cancel);
  }

  close(reason: TransportError): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#abort.abort(reason);
    for (const link of this.#links) link.close(reason);
  }

  /** Makes a link to a node, unless that is under way or was in vain not long ago. */
  #dial(node: number): void {
    const address = this.#leaders.addressOf(node);
    const isAvoided = (this.#avoided.get(node)?.until ?? 0) > this.#options.runtime.now();
    if (address === undefined || isAvoided || this.#dialling.has(node)) return;
    this.#dialling.add(node);
    const failed = () => this.#avoid(node, (this.#avoided.get(node)?.failures ?? 0) + 1);
    this.#attempt(address)
      .then((link) => this.#adopt(link))
      // An address that several nodes share leads to another one.
      .then((link) => (link.description.node === node ? this.#avoided.delete(node) : failed()), failed)
      .finally(() => this.#dialling.delete(node));
  }

  #avoid(node: number, failures: number): void {
    const forMs = Math.min(AVOID_MAX_MS, AVOID_MIN_MS * 2 ** Math.max(0, failures - 1));
    this.#avoided.set(node, { until: this.#options.runtime.now() + forMs, failures });
  }

  /** Tries each address once, from the one after the last. */
  async #connect(): Promise<Link> {
    let last: unknown;
    for (let tries = this.#addresses.length; tries > 0; tries--) {
      const address = this.#addresses[this.#next++ % this.#addresses.length]!;
      try {
        return this.#adopt(await this.#attempt(address));
      } catch (error) {
        last = error;
        if (this.#closed !== undefined) break;
      }
    }
    throw last;
  }

  async #attempt(address: string): Promise<Link> {
    const { open, runtime, connectMs } = this.#options;
    const attempt = new AbortController();
    const late = new TransportError(
      "KHONSU_PEER_TIMEOUT",
      `${address} did not answer within ${connectMs} ms`,
    );
    const cancel = runtime.schedule(connectMs, () => attempt.abort(late));
    try {
      return await open(address, AbortSignal.any([attempt.signal, this.#abort.signal]));
    } catch (error) {
      throw attempt.signal.aborted ? late : error;
    } finally {
      cancel();
    }
  }

  /** Takes a new link among those that are used; one that there is already to its node is as good. */
  #adopt(link: Link): Link {
    const { clusterId, addresses, node } = link.description;
    const wrong = this.#clusterId !== undefined && clusterId !== this.#clusterId;
    if (wrong || this.#closed !== undefined) {
      const message = `${link.address} belongs to cluster ${clusterId}, not to ${this.#clusterId}`;
      const error = this.#closed ?? new TransportError("KHONSU_CLUSTER_MISMATCH", message);
      link.close(error);
      throw error;
    }
    const same = this.#byNode.get(node);
    if (same !== undefined) {
      link.close(new TransportError("KHONSU_TRANSPORT_CLOSED", `There is a link to node ${node}`));
      return same;
    }
    this.#clusterId = clusterId;
    this.#learn(addresses);
    this.#byNode.set(node, link);
    this.#current ??= link;
    this.#links.add(link);
    void link.broken.then(() => {
      this.#links.delete(link);
      this.#drop(link);
    });
    return link;
  }

  /** Uses a link no more; another one that is there takes its place. */
  #drop(link: Link): void {
    const { node } = link.description;
    if (this.#byNode.get(node) === link) this.#byNode.delete(node);
    if (this.#current === link) [this.#current] = this.#byNode.values();
  }

  #learn(addresses: readonly string[]): void {
    for (const address of addresses) {
      if (ADDRESS.test(address) && !this.#addresses.includes(address)) this.#addresses.push(address);
    }
  }
}

function invalid(why: string): TransportError {
  return new TransportError("KHONSU_INVALID_OPTION", `Cannot connect: ${why}`);
}

function closedError(cause: TransportError): ClusterError {
  return new ClusterError("KHONSU_STORE_CLOSED", "The client was closed", { cause });
}
