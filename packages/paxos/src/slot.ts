/** Positions in the log. Slots count from 1; 0 stands for "none yet", so that a decided index of 0 is an empty prefix. */

declare const slotBrand: unique symbol;

export type Slot = number & { readonly [slotBrand]: true };

export const NO_SLOT = 0 as Slot;

/** @throws RangeError if `value` is not a safe integer of at least 0. */
export function slot(value: number): Slot {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot use as a slot: ${value} is not an integer of at least 0`);
  }
  return value as Slot;
}

export function slotAfter(of: Slot, by = 1): Slot {
  return (of + by) as Slot;
}
