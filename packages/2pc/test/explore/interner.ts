/** Numbers for values: equal keys get one number, in the order in which they are met. */
export class Interner<T> {
  readonly #numbers = new Map<string, number>();
  readonly #values: T[] = [];

  number(value: T, key: string = JSON.stringify(value)): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#values.length);
    return this.#values.push(value) - 1;
  }

  value(number: number): T {
    return this.#values[number]!;
  }
}

/** As an interner, for the members of sets that are bit masks. */
export class BitInterner<T> extends Interner<T> {
  bit(value: T): number {
    const number = this.number(value);
    if (number > 30) throw new Error("A bit mask holds 31 members at most");
    return 1 << number;
  }

  *members(mask: number): Generator<T> {
    for (let number = 0; mask >> number !== 0; number += 1)
      if ((mask >> number) & 1) yield this.value(number);
  }
}

/** Remembers what a function of numbers gives. */
export function remembered<A extends readonly number[], T>(
  compute: (...numbers: A) => T,
): (...numbers: A) => T {
  const results = new Map<string, T>();
  return (...numbers) => {
    const key = numbers.join();
    let result = results.get(key);
    if (result === undefined) {
      result = compute(...numbers);
      results.set(key, result);
    }
    return result;
  };
}
