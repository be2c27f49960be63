// A network that may do whatever a datagram network may: lose, repeat, delay and reorder messages, and cut links in either direction
// for a while. A clogged link holds its messages and lets them go, in order, when it is unclogged (FoundationDB's clogging).
//
// Each directed link draws from a stream of its own, so that a message more on one link leaves the luck of all others as it was.
// Blocks and clogs are counted: two partitions that overlap heal independently of each other.

import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";

export type NodeName = string | number;

/** A directed pair of nodes. */
export type Link = readonly [from: NodeName, to: NodeName];

/** What the links are like. Probabilities are per message, times in microseconds. */
export interface NetworkQuality {
  /** A message vanishes. */
  readonly loss: number;
  /** A message arrives a second time, independently delayed. */
  readonly duplication: number;
  /** The least time on the way. */
  readonly delayMinUs: number;
  /** Mean of the exponentially distributed time on top of it. */
  readonly delayMeanUs: number;
  /** A message takes ten times as long: with `ordered` unset, it is overtaken. */
  readonly straggling: number;
  /** Messages of one link arrive in the order in which they were sent, as over one stream. */
  readonly ordered: boolean;
}

export const CALM_NETWORK: NetworkQuality = {
  loss: 0,
  duplication: 0,
  delayMinUs: 200,
  delayMeanUs: 300,
  straggling: 0,
  ordered: false,
};

/** How many messages met which fate. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  reordered: number;
  blocked: number;
  clogged: number;
}

interface LinkState<M> {
  readonly prng: Prng;
  blocks: number;
  clogs: number;
  lastArrivalUs: number;
  held: M[];
}

/** The links between the nodes of one simulation; `deliver` is called for each message that arrives. */
export class Network<M> {
  readonly counts: NetworkCounts = {
    sent: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    blocked: 0,
    clogged: 0,
  };
  readonly #qualities: NetworkQuality[];
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #deliver: (from: NodeName, to: NodeName, message: M) => void;
  readonly #links = new Map<NodeName, Map<NodeName, LinkState<M>>>();

  constructor(
    scheduler: Scheduler,
    prng: Prng,
    deliver: (from: NodeName, to: NodeName, message: M) => void,
    quality: NetworkQuality = CALM_NETWORK,
  ) {
    this.#scheduler = scheduler;
    this.#prng = prng;
    this.#deliver = deliver;
    this.#qualities = [quality];
  }

  /** What the links are like now: the quality set last of those in force. */
  get quality(): NetworkQuality {
    return this.#qualities.at(-1) as NetworkQuality;
  }

  /** Sets another quality for all links. Returns the function that takes it back. */
  setQuality(quality: NetworkQuality): () => void {
    this.#qualities.push(quality);
    return once(() => this.#qualities.splice(this.#qualities.lastIndexOf(quality), 1));
  }

  send(from: NodeName, to: NodeName, message: M): void {
    const link = this.#link(from, to);
    this.counts.sent += 1;
    const { loss, duplication } = this.quality;
    const lost = link.prng.chance(loss);
    const duplicated = link.prng.chance(duplication);
    if (link.blocks > 0) this.counts.blocked += 1;
    else if (lost) this.counts.lost += 1;
    else this.#dispatch(from, to, link, message);
    if (!duplicated || link.blocks > 0) return;
    this.counts.duplicated += 1;
    this.#dispatch(from, to, link, message);
  }

  /** Cuts the links: what is sent over them, or on its way, is lost. Returns the function that heals them again. */
  block(links: readonly Link[]): () => void {
    for (const [from, to] of links) this.#link(from, to).blocks += 1;
    return once(() => {
      for (const [from, to] of links) this.#link(from, to).blocks -= 1;
    });
  }

  /** Holds what arrives over the links. Returns the function that lets it go. */
  clog(links: readonly Link[]): () => void {
    for (const [from, to] of links) this.#link(from, to).clogs += 1;
    return once(() => {
      for (const [from, to] of links) this.#unclog(from, to);
    });
  }

  /** Whether messages from one node reach the other now. */
  isOpen(from: NodeName, to: NodeName): boolean {
    const link = this.#link(from, to);
    return link.blocks === 0 && link.clogs === 0;
  }

  #dispatch(from: NodeName, to: NodeName, link: LinkState<M>, message: M): void {
    const { delayMinUs, delayMeanUs, straggling, ordered } = this.quality;
    const stretch = link.prng.chance(straggling) ? 10 : 1;
    const delayUs = Math.round(delayMinUs + link.prng.exponential(delayMeanUs) * stretch);
    let arrivalUs = this.#scheduler.nowUs + delayUs;
    if (arrivalUs < link.lastArrivalUs) {
      if (ordered) arrivalUs = link.lastArrivalUs;
      else this.counts.reordered += 1;
    }
    link.lastArrivalUs = Math.max(link.lastArrivalUs, arrivalUs);
    this.#scheduler.at(arrivalUs, () => this.#arrive(from, to, link, message));
  }

  #arrive(from: NodeName, to: NodeName, link: LinkState<M>, message: M): void {
    if (link.blocks > 0) {
      this.counts.blocked += 1;
    } else if (link.clogs > 0) {
      this.counts.clogged += 1;
      link.held.push(message);
    } else {
      this.counts.delivered += 1;
      this.#deliver(from, to, message);
    }
  }

  #unclog(from: NodeName, to: NodeName): void {
    const link = this.#link(from, to);
    link.clogs -= 1;
    if (link.clogs > 0) return;
    const released = link.held;
    link.held = [];
    for (const message of released) {
      this.#scheduler.after(0, () => this.#arrive(from, to, link, message));
    }
  }

  #link(from: NodeName, to: NodeName): LinkState<M> {
    let row = this.#links.get(from);
    if (row === undefined) {
      row = new Map();
      this.#links.set(from, row);
    }
    let link = row.get(to);
    if (link === undefined) {
      link = { prng: this.#prng.split(`${from}>${to}`), blocks: 0, clogs: 0, lastArrivalUs: 0, held: [] };
      row.set(to, link);
    }
    return link;
  }
}

function once(action: () => unknown): () => void {
  let pending = true;
  return () => {
    if (pending) action();
    pending = false;
  };
}
