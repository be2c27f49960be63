/** How large the tables are, and how parameters are drawn (clauses 2.1.5 and 4.3.2). */
import type { Prng } from "@khonsu/testkit/simulator";

export interface Scale {
  readonly warehouses: number;
  readonly districts: number;
  /** A district's, a multiple of 10. */
  readonly customers: number;
  readonly items: number;
}

/** What the standard says a warehouse has. */
export const STANDARD: Omit<Scale, "warehouses"> = { districts: 10, customers: 3000, items: 100_000 };

const SYLLABLES = ["BAR", "OUGHT", "ABLE", "PRI", "PRES", "ESE", "ANTI", "CALLY", "ATION", "EING"];

/** The last name of a number from 0 to 999. */
export function lastName(number: number): string {
  return [Math.floor(number / 100), Math.floor(number / 10) % 10, number % 10]
    .map((digit) => SYLLABLES[digit])
    .join("");
}

/** Last names in use: 1000, or fewer where a district has fewer customers. */
export function lastNames({ customers }: Scale): number {
  return Math.min(1000, Math.max(1, Math.floor(customers / 3)));
}

/** Non-uniform random (clause 2.1.6), with A scaled to the range. */
function nonUniform(random: Prng, a: number, low: number, high: number): number {
  return (((random.integer(0, a) | random.integer(low, high)) + 113) % (high - low + 1)) + low;
}

export function drawCustomer(random: Prng, { customers }: Scale): number {
  return nonUniform(random, customers >= 3000 ? 1023 : Math.max(1, customers >> 2), 1, customers);
}

export function drawItem(random: Prng, { items }: Scale): number {
  return nonUniform(random, items >= 100_000 ? 8191 : Math.max(1, items >> 3), 1, items);
}

export function drawLastName(random: Prng, scale: Scale): string {
  return lastName(nonUniform(random, 255, 0, lastNames(scale) - 1));
}

/** Another warehouse than `home`, if there is one. */
export function drawRemote(random: Prng, home: number, { warehouses }: Scale): number {
  if (warehouses === 1) return home;
  const other = random.integer(1, warehouses - 1);
  return other >= home ? other + 1 : other;
}
