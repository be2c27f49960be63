/**
 * The link of a client, to one node at a time: the first that answers, another one when that is lost or of no use. Addresses of
 * the cluster's members are learnt from the nodes, so that one that is right suffices to begin with.
 */
import { ClusterError } from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import { messageOf, TransportError } from "../errors.ts";
import { isCoded } from "./failure.ts";
import type { Link, OpenLink } from "./link.ts";

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

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #addresses: string[];
  #next = 0;
  #current: Link | undefined;
  #connecting: Promise<Link> | undefined;
  /** Of the cluster that the first node belonged to. */
  #clusterId: string | undefined;
  #closed: TransportError | undefined;
  readonly #abort = new AbortController();
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

  /** Where the client is connected to at the moment. */
  get address(): string | undefined {
    return this.#current?.address;
  }

  /** All addresses that are known. */
  get addresses(): readonly string[] {
    return this.#addresses;
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
        if (this.#closed !== undefined) throw closedError(this.#closed);
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
    if (this.#current !== link) return;
    this.#current = undefined;
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

  #adopt(link: Link): Link {
    const { clusterId, addresses } = link.description;
    const wrong = this.#clusterId !== undefined && clusterId !== this.#clusterId;
    if (wrong || this.#closed !== undefined) {
      const message = `${link.address} belongs to cluster ${clusterId}, not to ${this.#clusterId}`;
      const error = this.#closed ?? new TransportError("KHONSU_CLUSTER_MISMATCH", message);
      link.close(error);
      throw error;
    }
    this.#clusterId = clusterId;
    for (const address of addresses) {
      if (ADDRESS.test(address) && !this.#addresses.includes(address)) this.#addresses.push(address);
    }
    this.#current = link;
    this.#links.add(link);
    void link.broken.then(() => {
      this.#links.delete(link);
      if (this.#current === link) this.#current = undefined;
    });
    return link;
  }
}

function invalid(why: string): TransportError {
  return new TransportError("KHONSU_INVALID_OPTION", `Cannot connect: ${why}`);
}

function closedError(cause: TransportError): ClusterError {
  return new ClusterError("KHONSU_STORE_CLOSED", "The client was closed", { cause });
}
