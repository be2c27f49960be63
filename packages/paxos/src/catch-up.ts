/**
 * Catching up by asking: a replica that hears of a higher decided index than it can deliver fetches the missing entries from
 * any member that has them, the leader first, one request at a time. Serves laggards, candidates with a short log, repairs of damaged
 * entries (PX-14), and replicas that the leader cannot reach, also while nothing is proposed.
 */
import { chainAfter, isIntact } from "./checksum.ts";
import type { Context } from "./context.ts";
import type { Entry } from "./entry.ts";
import { PaxosError } from "./errors.ts";
import type { Learner } from "./learner.ts";
import type { MessageOf } from "./message.ts";
import type { ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot, slotAfter } from "./slot.ts";

export class CatchUp {
  private readonly context: Context;
  private readonly learner: Learner;
  /** The decided index that each member told last. */
  private readonly told = new Map<ReplicaId, Slot>();
  private outstanding: { readonly from: ReplicaId; readonly since: number } | undefined;
  /** Where the applied index stood at the last tick: only a lag that lasts is worth a request. */
  private appliedLastTick: Slot = NO_SLOT;
  /** Whom the last request went to, if nothing has come of it: the next goes to another. */
  private fruitless: ReplicaId | undefined;

  constructor(context: Context, learner: Learner) {
    this.context = context;
    this.learner = learner;
  }

  note(from: ReplicaId, decided: Slot): void {
    this.told.set(from, decided);
  }

  /** Forgets who is no member any more. */
  retain(members: readonly ReplicaId[]): void {
    for (const replica of this.told.keys()) if (!members.includes(replica)) this.told.delete(replica);
  }

  /** The highest decided index heard of, own included. */
  get target(): Slot {
    let target = this.learner.decided;
    for (const decided of this.told.values()) if (decided > target) target = decided;
    return target;
  }

  get isBehind(): boolean {
    return !this.learner.restoring && this.learner.applied < this.target;
  }

  /** To be called once a tick. */
  onTick(leader: ReplicaId | undefined): void {
    const { applied } = this.learner;
    const lagLasts = this.isBehind && applied === this.appliedLastTick;
    this.appliedLastTick = applied;
    if (lagLasts) this.ask(leader);
  }

  /** Asks for the first gap now, unless a request is under way that is not late. */
  ask(leader: ReplicaId | undefined): void {
    const { now, options } = this.context;
    if (!this.isBehind) return;
    if (this.outstanding !== undefined && now - this.outstanding.since < options.retryTicks) return;
    const first = slotAfter(this.learner.applied);
    const source = this.sourceFor(first, leader);
    if (source === undefined) return;
    this.outstanding = { from: source, since: now };
    this.fruitless = source;
    this.context.outbox.send(source, { kind: "fetch", from: first, through: this.endOfGap(first) });
  }

  /** The leader if it has the slot, unless it was asked last and that was fruitless; then the next member in turn. */
  private sourceFor(first: Slot, leader: ReplicaId | undefined): ReplicaId | undefined {
    const sources = [...this.told].filter(([, decided]) => decided >= first).map(([replica]) => replica);
    sources.sort((a, b) => a - b);
    if (leader !== undefined && leader !== this.fruitless && sources.includes(leader)) return leader;
    return sources.find((replica) => replica > (this.fruitless ?? 0)) ?? sources[0];
  }

  private endOfGap(first: Slot): Slot {
    let through = first;
    while (through < this.target && !this.learner.holds(slotAfter(through))) through = slotAfter(through);
    return through;
  }

  /** The request to `from` is answered. */
  onAnswer(from: ReplicaId): void {
    if (this.outstanding?.from === from) this.outstanding = undefined;
  }

  /** An image has come whole: whoever was asked for it was of use. */
  onImage(): void {
    this.fruitless = undefined;
  }

  /**
   * The entries of an answer that are missing here, from the first missing slot on; empty if it is of no use.
   * @throws PaxosError `KHONSU_LOG_DIVERGED` if its history differs from the one applied here (PX-13).
   */
  missing(message: MessageOf<"learn">): { readonly first: Slot; readonly entries: readonly Entry[] } {
    const first = slotAfter(this.learner.applied);
    const skipped = first - message.first;
    const entries = skipped < 0 ? [] : message.entries.slice(skipped);
    const intact = message.entries.every((entry, i) => isIntact(entry, slotAfter(message.first, i)));
    const fits = intact && !this.learner.restoring && first > this.context.log.trimmed;
    if (!fits || entries.length === 0) return { first, entries: [] };
    if (message.chain !== 0) this.compareChain(first, entries, message.chain);
    this.fruitless = undefined;
    return { first, entries };
  }

  private compareChain(first: Slot, entries: readonly Entry[], expected: number): void {
    let chain = this.learner.chain;
    entries.forEach((entry, i) => {
      chain = chainAfter(chain, slotAfter(first, i), entry.checksum);
    });
    if (chain === expected) return;
    const last = first + entries.length - 1;
    throw new PaxosError(
      "KHONSU_LOG_DIVERGED",
      `PX-13: the decided log up to slot ${last} has chain checksum ${chain} here and ${expected} at a peer`,
    );
  }

  /**
   * Answers a fetch with decided entries, as many as one message holds, also some that lie beyond a gap of its own; undefined if
   * the first of them is not here.
   */
  answer(message: MessageOf<"fetch">): MessageOf<"learn"> | undefined {
    const { log, options } = this.context;
    const { decided } = this.learner;
    if (message.from <= decided && log.entryAt(message.from) === undefined) return undefined;
    const limit = Math.min(message.through, decided, message.from + options.batchEntriesMax - 1) as Slot;
    let last = slotAfter(message.from, -1);
    let bytes = 0;
    while (last < limit && bytes < options.batchBytesMax) {
      const entry = log.entryAt(slotAfter(last));
      if (entry === undefined) break;
      last = slotAfter(last);
      bytes += entry.kind === "command" ? entry.command.length : 0;
    }
    const entries = last < message.from ? [] : log.slice(message.from, last);
    return {
      kind: "learn",
      first: message.from,
      entries,
      decided,
      chain: entries.length > 0 ? (log.chainAt(last) ?? 0) : 0,
    };
  }
}
