/**
 * A map by transaction id that makes no text of an id: a birth finds it, and those few that were born at once are told apart by the rest.
 * Iterates in the order in which ids came in, but for those of one birth.
 */
import type { Timestamp, TransactionId } from "./transaction-id.ts";

interface Slot<T> {
  readonly id: TransactionId;
  value: T;
  /** Others of the same birth. */
  next: Slot<T> | undefined;
}

export class TransactionMap<T> {
  readonly #slots = new Map<Timestamp, Slot<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: TransactionId): T | undefined {
    return this.#size === 0 ? undefined : this.#slotOf(id)?.value;
  }

  set(id: TransactionId, value: T): void {
    const slot = this.#slotOf(id);
    if (slot !== undefined) {
      slot.value = value;
      return;
    }
    this.#slots.set(id.birth, { id, value, next: this.#slots.get(id.birth) });
    this.#size++;
  }

  /** @returns whether there was something */
  delete(id: TransactionId): boolean {
    const slot = this.#slotOf(id);
    if (slot === undefined) return false;
    this.#size--;
    const first = this.#slots.get(id.birth)!;
    if (first !== slot) {
      let before = first;
      while (before.next !== slot) before = before.next!;
      before.next = slot.next;
    } else if (slot.next === undefined) this.#slots.delete(id.birth);
    else this.#slots.set(id.birth, slot.next);
    return true;
  }

  /** Removes what was born at or below `floor`. */
  deleteUpTo(floor: Timestamp): void {
    for (const [birth, first] of this.#slots) {
      if (birth > floor) continue;
      for (let slot: Slot<T> | undefined = first; slot !== undefined; slot = slot.next) this.#size--;
      this.#slots.delete(birth);
    }
  }

  *values(): Generator<T, undefined> {
    for (const first of this.#slots.values()) {
      for (let slot: Slot<T> | undefined = first; slot !== undefined; slot = slot.next) yield slot.value;
    }
  }

  #slotOf({ birth, random, home }: TransactionId): Slot<T> | undefined {
    let slot = this.#slots.get(birth);
    while (slot !== undefined && !(slot.id.random === random && slot.id.home === home)) slot = slot.next;
    return slot;
  }
}
