/** Small transactions as data, and every order in which their steps can interleave. */

/** The rows of a key, each a number that tells who wrote it; undefined: the key is absent. */
export type Rows = readonly number[] | undefined;

export type Op =
  | { readonly kind: "read" | "write" | "delete" | "append"; readonly key: string }
  /** Reads every key. */
  | { readonly kind: "scan" };

/** The steps of a transaction before its commit. */
export type Program = readonly Op[];

/** Whose step comes next, each transaction by its index: as many times as it has steps, the last being the commit. */
export type Schedule = readonly number[];

/** What a read saw: the rows of a key, or of each key. */
export type Observation = Rows | ReadonlyMap<string, readonly number[]>;

export interface Executed {
  readonly program: Program;
  readonly isCommitted: boolean;
  /** One for each read and scan, in order. */
  readonly observed: readonly Observation[];
  /** Keys whose writes were resolved away. */
  readonly ignored: readonly string[];
  /** Positions in the schedule. */
  readonly begunAt: number;
  readonly endedAt: number;
}

export interface Execution {
  readonly transactions: readonly Executed[];
  readonly final: ReadonlyMap<string, readonly number[]>;
}

/** The number that the write of step `step` of transaction `transaction` leaves. */
export function writtenBy(transaction: number, step: number): number {
  return (transaction + 1) * 100 + step;
}

export function isReadOnly(program: Program): boolean {
  return program.every(({ kind }) => kind === "read" || kind === "scan");
}

export function describeProgram(program: Program): string {
  return program.map((op) => (op.kind === "scan" ? "scan" : `${op.kind} ${op.key}`)).join(", ");
}

/** Every distinct order of `counts[i]` steps of each transaction `i`. */
export function* interleavings(counts: readonly number[]): Generator<number[]> {
  const left = [...counts];
  const total = counts.reduce((sum, count) => sum + count, 0);
  const order: number[] = [];
  function* extend(): Generator<number[]> {
    if (order.length === total) {
      yield [...order];
      return;
    }
    for (let i = 0; i < left.length; i++) {
      if (left[i] === 0) continue;
      left[i]!--;
      order.push(i);
      yield* extend();
      order.pop();
      left[i]!++;
    }
  }
  yield* extend();
}

/** All sequences of `length` operations out of `alphabet`. */
export function programs(alphabet: readonly Op[], length: number): Program[] {
  if (length === 0) return [[]];
  return programs(alphabet, length - 1).flatMap((shorter) => alphabet.map((op) => [...shorter, op]));
}

/** All ways to choose `count` of `items`, in order and with repetition, since transactions are interchangeable. */
export function* choices<T>(items: readonly T[], count: number, from = 0): Generator<T[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let i = from; i < items.length; i++) {
    for (const rest of choices(items, count - 1, i)) yield [items[i]!, ...rest];
  }
}
