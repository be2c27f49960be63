// Copies of messages that a network delivers very late, just when they can do harm: an answer to a ballot of before when its receiver asks
// under the next one, an accept of a replaced leader when its receiver learns something else for that slot. A datagram network may do
// all that; left to chance it takes more runs than anybody has.

import type { Envelope, Message, MessageOf } from "@khonsu/paxos";
import { compareBallots } from "@khonsu/paxos";
import type { Prng } from "../prng.ts";

/** How many messages of a kind to one receiver are remembered. */
const KEPT = 64;
/** One of so many, the latest of those that can do harm, is repeated: what is much older is refused for other reasons. */
const LATEST = 4;

export class LateCopies {
  readonly #prng: Prng;
  readonly #probability: number;
  readonly #kept = new Map<string, Envelope[]>();

  constructor(prng: Prng, probability: number) {
    this.#prng = prng;
    this.#probability = probability;
  }

  /** Takes note of a message that is sent. Returns an older one that comes now as well, if any. */
  onSend(envelope: Envelope): Envelope | undefined {
    if (this.#probability === 0) return undefined;
    const harmful = this.#prng.chance(this.#probability) ? this.#harmfulWith(envelope) : [];
    this.#keep(envelope);
    return harmful.length === 0 ? undefined : this.#prng.pick(harmful.slice(-LATEST));
  }

  #harmfulWith({ from, to, message }: Envelope): Envelope[] {
    switch (message.kind) {
      case "prepare":
        return this.#answers(from, to, "promise").filter(
          ({ message: old }) => isOlder(old, message) && old.from === message.from,
        );
      case "accept":
        return this.#answers(from, to, "accepted").filter(({ message: old }) => isOlder(old, message));
      case "learn":
        return this.#to(to, "accept").filter(({ message: old }) => contradicts(old, message));
      default:
        return [];
    }
  }

  #answers<K extends Message["kind"]>(asker: number, answerer: number, kind: K) {
    return this.#to(asker, kind).filter(({ from }) => from === answerer);
  }

  #to<K extends Message["kind"]>(receiver: number, kind: K) {
    return (this.#kept.get(`${receiver} ${kind}`) ?? []) as (Envelope & { readonly message: MessageOf<K> })[];
  }

  #keep(envelope: Envelope): void {
    const { to, message } = envelope;
    if (message.kind === "accept" && message.entries.length === 0) return;
    if (message.kind !== "promise" && message.kind !== "accepted" && message.kind !== "accept") return;
    const name = `${to} ${message.kind}`;
    const kept = this.#kept.get(name) ?? [];
    kept.push(envelope);
    if (kept.length > KEPT) kept.shift();
    this.#kept.set(name, kept);
  }
}

function isOlder(
  old: MessageOf<"promise" | "accepted">,
  { ballot }: MessageOf<"prepare" | "accept">,
): boolean {
  return compareBallots(old.ballot, ballot) < 0;
}

/** Whether an accept has another entry for a slot than the decided one. */
function contradicts({ first, entries }: MessageOf<"accept">, learned: MessageOf<"learn">): boolean {
  return entries.some((entry, i) => {
    const decided = learned.entries[first + i - learned.first];
    return decided !== undefined && decided.checksum !== entry.checksum;
  });
}
