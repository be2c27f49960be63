/**
 * Explores every state that acceptors and proposers can reach within bounds, with the product's own `Acceptor`, `Proposer` and
 * `recover`. The network only grows: any message may be delivered at any time, again, or never, which covers loss, repetition, delay
 * and reordering. An acceptor has writes under way; flushing the oldest lets its answers go; a crash loses them all.
 *
 * State: for each acceptor its durable records and the writes under way, in canonical form, and the set of messages that somebody
 * may still act on, with the votes that became durable as ghosts. Everything an acceptor does is a function of that, and so is
 * remembered by (acceptor state, message). Acceptors are interchangeable, so of states that differ in their names one is explored.
 *
 * With `writes: "at-once"` a write is durable as soon as it is made. As answers leave only after their write, nobody can tell this from a
 * crash that lost what was not flushed, so it covers larger bounds; `separate` shows that it is so for small ones.
 */
import { Acceptor } from "../src/acceptor.ts";
import { type Ballot, compareBallots, sameBallot } from "../src/ballot.ts";
import type { Configuration } from "../src/configuration.ts";
import type { Context } from "../src/context.ts";
import type { DurableRecord } from "../src/durable-record.ts";
import { type Entry, noOp, sealCommand } from "../src/entry.ts";
import { Log } from "../src/log.ts";
import type { Message, MessageOf } from "../src/message.ts";
import { resolveOptions } from "../src/options.ts";
import { Outbox } from "../src/outbox.ts";
import { Proposer } from "../src/proposer.ts";
import { isAcceptQuorum, isPrepareQuorum } from "../src/quorum.ts";
import { recover } from "../src/recovery.ts";
import { type ReplicaId, replicaId } from "../src/replica-id.ts";
import { NO_SLOT, type Slot, slotAfter } from "../src/slot.ts";

export interface Bounds {
  readonly acceptors: number;
  /** The replica that owns each ballot; the n-th ballot has round n. */
  readonly ballots: readonly number[];
  readonly slots: number;
  readonly quorums: Configuration["quorums"];
  readonly writes: "at-once" | "separate";
  /** What goes wrong on purpose, to see that the exploration finds it. */
  readonly fault?: "forget-promise" | "answer-before-durable" | "ignore-reports";
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  readonly messages: number;
  /** Slots and values that were chosen in some state. */
  readonly chosen: ReadonlySet<string>;
}

/** A message with its sender, or the ghost of a vote that became durable. */
type Item =
  | { readonly kind: "message"; readonly from: ReplicaId; readonly message: Message }
  | {
      readonly kind: "vote";
      readonly from: ReplicaId;
      readonly ballot: Ballot;
      readonly slot: Slot;
      readonly value: number;
    };

interface AcceptorState {
  readonly durable: readonly DurableRecord[];
  readonly pending: readonly {
    readonly records: readonly DurableRecord[];
    readonly release: readonly number[];
  }[];
}

interface State {
  /** Ids of acceptor states. */
  readonly acceptors: readonly number[];
  readonly network: Items;
}

/** A set of items, as bits in words of 32. */
type Items = readonly number[];
const WORDS = 8;
const ITEMS_MAX = WORDS * 32;
const NO_ITEMS: Items = new Array<number>(WORDS).fill(0);

/** What taking a message comes to: the acceptor's next state, and what it may say at once. */
interface Delivered {
  readonly acceptor: number;
  readonly items: readonly number[];
}

export class Disagreement extends Error {}

/** Proposers are told apart by their ballots; whose message it is does not matter to acceptors. */
const PROPOSER = replicaId(9);

export class Exploration {
  private readonly bounds: Bounds;
  private readonly ids: readonly ReplicaId[];
  private readonly configuration: Configuration;
  private readonly ballots: readonly Ballot[];
  private readonly items: Item[] = [];
  private readonly itemIds = new Map<string, number>();
  private readonly states: AcceptorState[] = [];
  private readonly stateIds = new Map<string, number>();
  private readonly deliveries: (Delivered | undefined)[][] = [];
  private readonly proposals = new Map<string, readonly number[]>();
  private readonly chosen = new Set<string>();
  /** For each way to rename the acceptors: where each item goes. Filled as items appear. */
  private readonly renamings: readonly { readonly order: readonly number[]; readonly items: number[] }[];

  constructor(bounds: Bounds) {
    this.bounds = bounds;
    this.ids = Array.from({ length: bounds.acceptors }, (_, i) => replicaId(i + 1));
    this.configuration = { voters: this.ids, learners: [], retired: [], quorums: bounds.quorums };
    this.renamings = permutations(this.ids.map((_, i) => i)).map((order) => ({ order, items: [] }));
    this.ballots = bounds.ballots.map((node, i) => ({ round: i + 1, priority: 0, replica: replicaId(node) }));
  }

  /** @throws Disagreement with the messages that led to two values in one slot. */
  run(limit = Number.POSITIVE_INFINITY): Explored {
    const seen = new Set<string>();
    const queue: State[] = [this.initial()];
    seen.add(this.keyOf(queue[0]!));
    let transitions = 0;
    for (let state = queue.pop(); state !== undefined && seen.size < limit; state = queue.pop()) {
      for (const next of this.successors(state)) {
        transitions++;
        const key = this.keyOf(next);
        if (seen.has(key)) continue;
        seen.add(key);
        if (!sameItems(next.network, state.network)) this.check(next);
        queue.push(next);
      }
    }
    return { states: seen.size, transitions, messages: this.items.length, chosen: this.chosen };
  }

  /** Every proposer has asked for every one of its ballots. */
  private initial(): State {
    const prepares = this.ballots.map((ballot) =>
      this.message(PROPOSER, { kind: "prepare", ballot, from: 1 as Slot, transfer: false }),
    );
    const acceptor = this.acceptorId({ durable: [], pending: [] });
    return { acceptors: this.ids.map(() => acceptor), network: withItems(NO_ITEMS, prepares) };
  }

  private *successors(state: State): Generator<State> {
    for (let i = 0; i < this.ids.length; i++) {
      const acceptor = this.states[state.acceptors[i]!]!;
      for (let item = 0; item < this.items.length; item++) {
        if (!hasItem(state.network, item)) continue;
        const next = this.deliver(i, state.acceptors[i]!, item);
        if (next.acceptor === state.acceptors[i] && next.items.length === 0) continue;
        yield this.with(state, i, next.acceptor, next.items);
      }
      const [first, ...rest] = acceptor.pending;
      if (first === undefined) continue;
      const flushed = this.acceptorId({
        durable: canonical([...acceptor.durable, ...first.records]),
        pending: rest,
      });
      yield this.with(state, i, flushed, [...first.release, ...this.votes(i, first.records)]);
      yield this.with(state, i, this.acceptorId({ durable: acceptor.durable, pending: [] }), []);
    }
    for (const ballot of this.ballots) yield* this.propose(state, ballot);
  }

  private with(state: State, index: number, acceptor: number, items: readonly number[]): State {
    return { acceptors: state.acceptors.with(index, acceptor), network: this.joined(state.network, items) };
  }

  /** Adds items. Promises of a ballot that has gone on to phase 2 are of no use to anybody any more, and are left out. */
  private joined(network: Items, items: readonly number[]): Items {
    const result = withItems(network, items);
    if (result === network) return network;
    const proposed = new Set<number>();
    const promises: [round: number, id: number][] = [];
    this.items.forEach((item, id) => {
      if (item.kind !== "message" || !hasItem(result, id)) return;
      if (item.message.kind === "accept") proposed.add(item.message.ballot.round);
      if (item.message.kind === "promise") promises.push([item.message.ballot.round, id]);
    });
    return withoutItems(
      result,
      promises.filter(([round]) => proposed.has(round)).map(([, id]) => id),
    );
  }

  /** What acceptor `index` becomes by taking message `item`. */
  private deliver(index: number, acceptor: number, item: number): Delivered {
    this.deliveries[acceptor] ??= [];
    const known = this.deliveries[acceptor];
    const at = item * this.ids.length + index;
    const delivered = known[at] ?? this.take(index, acceptor, this.items[item]!);
    known[at] = delivered;
    return delivered;
  }

  private take(index: number, id: number, item: Item): Delivered {
    const unchanged = { acceptor: id, items: [] };
    if (item.kind !== "message") return unchanged;
    const { from, message } = item;
    if (message.kind !== "prepare" && message.kind !== "accept") return unchanged;
    const state = this.states[id]!;
    const { acceptor, outbox } = this.restore(index, state);
    if (message.kind === "prepare") acceptor.onPrepare(from, message, NO_SLOT);
    else if (acceptor.onAccept(from, message, NO_SLOT)) acceptor.answerAccept(from, NO_SLOT);
    const records: DurableRecord[] = [];
    const release: number[] = [];
    for (const effect of outbox.take(0)) {
      const envelopes =
        effect.kind === "persist" ? effect.release : effect.kind === "send" ? [effect.envelope] : [];
      if (effect.kind === "persist") records.push(...effect.records);
      for (const { message: answer } of envelopes)
        if (answer.kind === "promise") release.push(this.message(this.ids[index]!, answer));
    }
    return this.answered(id, index, records, release);
  }

  /** An answer waits for its own write; one without a write for the last under way; one behind nothing goes at once. */
  private answered(
    id: number,
    index: number,
    records: readonly DurableRecord[],
    release: readonly number[],
  ): Delivered {
    const { durable, pending } = this.states[id]!;
    if (records.length > 0 && this.bounds.writes === "at-once") {
      const acceptor = this.acceptorId({ durable: canonical([...durable, ...records]), pending: [] });
      return { acceptor, items: [...release, ...this.votes(index, records)] };
    }
    if (records.length > 0 && this.bounds.fault === "answer-before-durable") {
      return {
        acceptor: this.acceptorId({ durable, pending: [...pending, { records, release: [] }] }),
        items: release,
      };
    }
    if (records.length > 0) {
      return {
        acceptor: this.acceptorId({ durable, pending: [...pending, { records, release }] }),
        items: [],
      };
    }
    const last = pending.at(-1);
    if (last === undefined) return { acceptor: id, items: release };
    const merged = [...new Set([...last.release, ...release])].sort((a, b) => a - b);
    return {
      acceptor: this.acceptorId({ durable, pending: pending.with(-1, { ...last, release: merged }) }),
      items: [],
    };
  }

  /** The product's acceptor in the state that its records stand for. */
  private restore(
    index: number,
    state: AcceptorState,
  ): { readonly acceptor: Acceptor; readonly outbox: Outbox } {
    const records = [...state.durable, ...state.pending.flatMap((write) => write.records)];
    const { entries, promised } = recover(records, () => undefined);
    const self = this.ids[index]!;
    const options = resolveOptions({ self, seed: 1, start: { kind: "join" } });
    const log = new Log(NO_SLOT);
    for (const { ballot, entry, slot } of entries) {
      if (entry !== undefined) log.set(slot, sameBallot(ballot, promised) ? promised : ballot, entry);
    }
    // Every answer of this model waits for a write, as it would behind writes under way.
    const outbox = new Outbox(self);
    const context: Context = { self, options, outbox, log, now: 0 };
    return { acceptor: new Acceptor(context, promised, []), outbox };
  }

  private votes(index: number, records: readonly DurableRecord[]): number[] {
    return records.flatMap((record) => {
      if (record.kind !== "accepted") return [];
      const { ballot, entries, first } = record;
      return entries.map((entry, i) =>
        this.item({
          kind: "vote",
          from: this.ids[index]!,
          ballot,
          slot: slotAfter(first, i),
          value: entry.checksum,
        }),
      );
    });
  }

  /** A proposer goes on to phase 2 with any prepare quorum of the promises that are there, once a ballot. */
  private *propose(state: State, ballot: Ballot): Generator<State> {
    const present = this.items.flatMap((item, id) =>
      hasItem(state.network, id) && item.kind === "message" ? [{ ...item, id }] : [],
    );
    const hasProposed = present.some(
      ({ message }) => message.kind === "accept" && sameBallot(message.ballot, ballot),
    );
    if (hasProposed) return;
    const promises = present.filter(
      ({ message }) => message.kind === "promise" && sameBallot(message.ballot, ballot),
    );
    for (const subset of subsets(promises)) {
      const distinct = new Set(subset.map(({ from }) => from));
      if (distinct.size !== subset.length || !isPrepareQuorum(this.configuration, distinct)) continue;
      const key = `${ballot.round} ${subset.map(({ id }) => id).join(",")}`;
      let accepts = this.proposals.get(key);
      if (accepts === undefined) {
        accepts = this.accepts(
          ballot,
          subset.map(({ from, message }) => ({ from, message: message as MessageOf<"promise"> })),
        );
        this.proposals.set(key, accepts);
      }
      yield { acceptors: state.acceptors, network: this.joined(state.network, accepts) };
    }
  }

  /** What the product's proposer makes of the promises: one accept a slot, so that slots can overtake each other. */
  private accepts(
    ballot: Ballot,
    promises: readonly { from: ReplicaId; message: MessageOf<"promise"> }[],
  ): number[] {
    const proposer = new Proposer(ballot, 1 as Slot);
    for (const { from, message } of promises) proposer.onPromise(from, message);
    return Array.from({ length: this.bounds.slots }, (_, i) => {
      const at = (i + 1) as Slot;
      const free = at > proposer.last || this.bounds.fault === "ignore-reports";
      const entry: Entry = free ? ownCommand(ballot, at) : (proposer.valueAt(at) ?? noOp(at));
      return this.message(PROPOSER, {
        kind: "accept",
        ballot,
        first: at,
        entries: [entry],
        decided: NO_SLOT,
      });
    });
  }

  private message(from: ReplicaId, message: Message): number {
    return this.item({ kind: "message", from, message });
  }

  private item(item: Item): number {
    const key = JSON.stringify(item);
    const known = this.itemIds.get(key);
    if (known !== undefined) return known;
    if (this.items.length >= ITEMS_MAX)
      throw new RangeError(`the bounds give more than ${ITEMS_MAX} messages and votes`);
    this.items.push(item);
    this.itemIds.set(key, this.items.length - 1);
    return this.items.length - 1;
  }

  /** The state with its acceptors renamed such that it comes first: one key for all that differ in names only. */
  private keyOf({ acceptors, network }: State): string {
    let least: string | undefined;
    for (const renaming of this.renamings) {
      const renamed = renaming.order.map((index) => acceptors[index]!).join(",");
      if (least !== undefined && renamed > least.slice(0, renamed.length)) continue;
      const key = `${renamed}|${this.renameItems(network, renaming).join(",")}`;
      if (least === undefined || key < least) least = key;
    }
    return least!;
  }

  private renameItems(
    network: Items,
    renaming: { readonly order: readonly number[]; readonly items: number[] },
  ): Items {
    const renamed: number[] = [];
    for (let id = 0; id < this.items.length; id++) {
      if (!hasItem(network, id)) continue;
      const to = renaming.items[id] ?? this.renameItem(id, renaming.order);
      renaming.items[id] = to;
      renamed.push(to);
    }
    return withItems(NO_ITEMS, renamed);
  }

  private renameItem(id: number, order: readonly number[]): number {
    const item = this.items[id]!;
    const index = this.ids.indexOf(item.from);
    return index < 0 ? id : this.item({ ...item, from: this.ids[order.indexOf(index)]! });
  }

  private acceptorId(state: AcceptorState): number {
    const adjusted = this.misbehave(state);
    const key = JSON.stringify(adjusted);
    const known = this.stateIds.get(key);
    if (known !== undefined) return known;
    this.states.push(adjusted);
    this.stateIds.set(key, this.states.length - 1);
    return this.states.length - 1;
  }

  private misbehave(state: AcceptorState): AcceptorState {
    if (this.bounds.fault !== "forget-promise" || state.pending.length > 0) return state;
    return { durable: state.durable.filter((record) => isCovering(record, state.durable)), pending: [] };
  }

  /** PX-1: at most one value is chosen in each slot, where chosen is what an accept quorum durably voted for under one ballot. */
  private check({ network }: State): void {
    const voters = new Map<string, Set<ReplicaId>>();
    this.items.forEach((item, id) => {
      if (item.kind !== "vote" || !hasItem(network, id)) return;
      const key = `${item.slot} ${item.value} ${item.ballot.round}`;
      voters.set(key, (voters.get(key) ?? new Set()).add(item.from));
    });
    const values = new Map<string, string>();
    for (const [key, voting] of voters) {
      if (!isAcceptQuorum(this.configuration, voting)) continue;
      const [slot = "", value = ""] = key.split(" ");
      this.chosen.add(`${slot}=${value}`);
      const other = values.get(slot);
      if (other !== undefined && other !== value)
        throw new Disagreement(`PX-1: two values are chosen in slot ${slot}`);
      values.set(slot, value);
    }
  }
}

function ownCommand(ballot: Ballot, at: Slot): Entry {
  return sealCommand({ client: ballot.round, sequence: at, command: Uint8Array.of(ballot.round, at) }, at);
}

/** The shortest stream of records that stands for the same state. */
/** Whether a promise is one that some entry was accepted under: without it, a disk would be found to be corrupt (PX-4). */
function isCovering(record: DurableRecord, records: readonly DurableRecord[]): boolean {
  if (record.kind !== "promised") return true;
  return records.some(
    (other) => other.kind === "accepted" && compareBallots(other.ballot, record.ballot) >= 0,
  );
}

function canonical(records: readonly DurableRecord[]): DurableRecord[] {
  const { entries, promised } = recover(records, () => undefined);
  const accepted = entries.flatMap(({ ballot, entry, slot }): DurableRecord[] =>
    entry === undefined ? [] : [{ kind: "accepted", ballot, first: slot, entries: [entry] }],
  );
  // In the order of ballots, as the rule of the stream wants it (PX-4), with the promise last.
  accepted.sort((a, b) =>
    a.kind === "accepted" && b.kind === "accepted" ? a.ballot.round - b.ballot.round : 0,
  );
  return promised.round === 0 ? accepted : [...accepted, { kind: "promised", ballot: promised }];
}

function* subsets<T>(items: readonly T[]): Generator<T[]> {
  for (let mask = 1; mask < 1 << items.length; mask++) yield items.filter((_, i) => (mask & (1 << i)) !== 0);
}

function withItems(network: Items, items: readonly number[]): Items {
  if (items.length === 0) return network;
  const result = [...network];
  for (const item of items) result[item >>> 5] = (result[item >>> 5]! | (1 << (item & 31))) >>> 0;
  return result;
}

function withoutItems(network: Items, items: readonly number[]): Items {
  if (items.length === 0) return network;
  const result = [...network];
  for (const item of items) result[item >>> 5] = (result[item >>> 5]! & ~(1 << (item & 31))) >>> 0;
  return result;
}

function hasItem(network: Items, item: number): boolean {
  return ((network[item >>> 5]! >>> (item & 31)) & 1) === 1;
}

function sameItems(a: Items, b: Items): boolean {
  return a.every((word, i) => word === b[i]);
}

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}
