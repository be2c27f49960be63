/**
 * The writes of one replica on their way to its disk. All that a turn wants written goes as one; several may be under way, which the
 * storage lands in order, and as one if it can. Messages leave once the write that they hang on is durable (PX-3).
 */
import type { AcceptorStorage } from "../acceptor-storage.ts";
import type { PersistEffect } from "../effect.ts";

export interface WriteEvents {
  /** These are durable, and all before them. */
  durable(effects: readonly PersistEffect[]): void;
  /** It cannot be told whether they are. */
  failed(error: unknown): void;
}

export class Writes {
  private readonly storage: AcceptorStorage;
  private readonly events: WriteEvents;
  /** Of this turn. */
  private gathered: PersistEffect[] = [];
  /** Effects that are not durable yet and carry entries that were accepted. */
  private votes = 0;
  /** Settles with the last write that was handed over, and so with all of them. */
  private last: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(storage: AcceptorStorage, events: WriteEvents) {
    this.storage = storage;
    this.events = events;
  }

  /** Whether entries that were accepted here are on their way to the disk. */
  get areVotesUnderWay(): boolean {
    return this.votes > 0;
  }

  add(effect: PersistEffect): void {
    if (holdsVotes(effect)) this.votes++;
    this.gathered.push(effect);
    // A turn later, so that the other effects of this turn share the write.
    if (this.gathered.length === 1) void Promise.resolve().then(() => this.handOver());
  }

  /** Hands nothing more over. Resolves once what was is durable, or has failed. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.last;
  }

  private handOver(): void {
    const effects = this.gathered;
    this.gathered = [];
    if (this.stopped) return;
    const { settled, write } = effects[effects.length - 1]!;
    const records = effects.length === 1 ? effects[0]!.records : effects.flatMap((effect) => effect.records);
    this.last = this.storage.write({ write, settled, records }).then(
      () => this.onDurable(effects),
      (error: unknown) => this.events.failed(error),
    );
  }

  private onDurable(effects: readonly PersistEffect[]): void {
    for (const effect of effects) if (holdsVotes(effect)) this.votes--;
    this.events.durable(effects);
  }
}

function holdsVotes({ records }: PersistEffect): boolean {
  for (const { kind } of records) if (kind === "accepted") return true;
  return false;
}
