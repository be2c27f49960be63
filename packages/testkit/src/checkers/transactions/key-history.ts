// What happened to each key, over all transactions: its writes, and the reads that saw other transactions' writes.
//
// KH-1  A write is found by what it wrote, so elements of a list, and values of a register, should be written once. Values written twice
//       say nothing about who was read (registers) or make the history unusable (lists), unless all writers but one failed.
import { HistoryError } from "../../history/history-error.ts";
import type { History, Key, MicroOp, Value } from "../../history/operation.ts";

/** A read as far as it concerns other transactions: own appends are cut off. In parallel arrays, one item per read. */
export class ListHistory {
  readonly kind = "list";
  readonly elements: Value[] = [];
  readonly appendedBy: number[] = [];
  /** Whether it was the last append of its transaction to this key. */
  readonly isLast: boolean[] = [];
  readonly appendOf = new Map<Value, number>();
  hasDelete = false;
  readonly readBy: number[] = [];
  readonly lists: (readonly Value[])[] = [];
  readonly isPredicate: boolean[] = [];
  /** Pairs: a read, and an append that its transaction made afterwards. */
  readonly readThenAppend: (readonly [read: number, append: number])[] = [];
  /** Reads whose transaction had appended before; cut off, they tell what it found there. */
  readonly readAfterAppend: number[] = [];
  readonly key: Key;
  readonly number: number;

  constructor(key: Key, number: number) {
    this.key = key;
    this.number = number;
  }

  addRead(transaction: number, list: readonly Value[], isPredicate: boolean): number {
    this.readBy.push(transaction);
    this.isPredicate.push(isPredicate);
    return this.lists.push(list) - 1;
  }

  addAppend(transaction: number, element: Value, isFailed: boolean, history: History): void {
    const append = this.elements.length;
    const twin = this.appendOf.get(element);
    if (twin !== undefined && !isFailed) {
      const other = this.appendedBy[twin]!;
      if (history[other]!.outcome !== "fail") {
        throw new HistoryError(
          `T${other} and T${transaction} both append ${JSON.stringify(element)} to ${JSON.stringify(this.key)}; elements of a list must be unique`,
        );
      }
    }
    if (twin === undefined || !isFailed) this.appendOf.set(element, append);
    if (append > 0 && this.appendedBy[append - 1] === transaction) this.isLast[append - 1] = false;
    this.elements.push(element);
    this.appendedBy.push(transaction);
    this.isLast.push(true);
  }
}

/** Writes of a register that nobody can tell apart by value. */
export const AMBIGUOUS = -2;

export class RegisterHistory {
  readonly kind = "register";
  /** What each write wrote; a delete writes null. */
  readonly values: Value[] = [];
  readonly writtenBy: number[] = [];
  readonly isLast: boolean[] = [];
  /** The write of each value, or AMBIGUOUS. */
  readonly writeOf = new Map<Value, number>();
  readonly readBy: number[] = [];
  readonly readValues: Value[] = [];
  readonly isPredicate: boolean[] = [];
  /** Pairs: a read, and the first write that its transaction made afterwards. */
  readonly readThenWrite: (readonly [read: number, write: number])[] = [];
  private cursor = 0;
  readonly key: Key;
  readonly number: number;
  readonly initial: Value;

  constructor(key: Key, number: number, initial: Value) {
    this.key = key;
    this.number = number;
    this.initial = initial;
  }

  addRead(transaction: number, value: Value, isPredicate: boolean): number {
    this.readBy.push(transaction);
    this.isPredicate.push(isPredicate);
    return this.readValues.push(value) - 1;
  }

  /** The first write of a transaction; to be asked for in the order of the history. */
  firstWriteOf(transaction: number): number {
    while (this.writtenBy[this.cursor]! < transaction) this.cursor++;
    return this.cursor;
  }

  addWrite(transaction: number, value: Value, isFailed: boolean, history: History): void {
    const write = this.values.length;
    const twin = this.writeOf.get(value);
    if (value === this.initial) {
      if (!isFailed) this.writeOf.set(value, AMBIGUOUS);
    } else if (twin === undefined) this.writeOf.set(value, write);
    else if (twin === AMBIGUOUS || !isFailed) {
      const isTwinFailed = twin !== AMBIGUOUS && history[this.writtenBy[twin]!]!.outcome === "fail";
      this.writeOf.set(value, isTwinFailed ? write : AMBIGUOUS);
    }
    if (write > 0 && this.writtenBy[write - 1] === transaction) this.isLast[write - 1] = false;
    this.values.push(value);
    this.writtenBy.push(transaction);
    this.isLast.push(true);
  }
}

export type KeyHistory = ListHistory | RegisterHistory;

/** The keys of a history with all writes on them; reads are added by `reads.ts`. */
export class KeyHistories {
  readonly byNumber: KeyHistory[] = [];
  private readonly byKey = new Map<Key, KeyHistory>();
  private readonly initial: Value;
  private sorted: string[] = [];
  private sortedOf = -1;

  constructor(history: History, initial: Value) {
    this.initial = initial;
    for (let index = 0; index < history.length; index++) {
      const isFailed = history[index]!.outcome === "fail";
      for (const op of history[index]!.ops) {
        if (op[0] === "append") this.list(op[1], index).addAppend(index, op[2], isFailed, history);
      }
    }
    for (let index = 0; index < history.length; index++) {
      for (const op of history[index]!.ops) this.addRegisterWrite(op, index, history);
    }
  }

  list(key: Key, transaction: number): ListHistory {
    const found = this.byKey.get(key) ?? this.add(new ListHistory(key, this.byNumber.length));
    if (found.kind !== "list") throw mixed(key, transaction);
    return found;
  }

  register(key: Key, transaction: number): RegisterHistory {
    const found =
      this.byKey.get(key) ?? this.add(new RegisterHistory(key, this.byNumber.length, this.initial));
    if (found.kind !== "register") throw mixed(key, transaction);
    return found;
  }

  get(key: Key): KeyHistory | undefined {
    return this.byKey.get(key);
  }

  /** The keys that a scan of this range covers. */
  keysIn(range: Extract<MicroOp, readonly ["scan", ...unknown[]]>[1]): Iterable<Key> {
    if (!("prefix" in range) && range.from === undefined && range.to === undefined) return this.byKey.keys();
    if (this.sortedOf !== this.byKey.size) {
      this.sortedOf = this.byKey.size;
      this.sorted = [...this.byKey.keys()].filter((key) => typeof key === "string").sort();
    }
    return "prefix" in range
      ? within(this.sorted, range.prefix, (key) => key.startsWith(range.prefix))
      : within(this.sorted, range.from ?? "", (key) => range.to === undefined || key < range.to);
  }

  private add<K extends KeyHistory>(key: K): K {
    this.byKey.set(key.key, key);
    this.byNumber.push(key);
    return key;
  }

  /** After all appends are known: only they tell a list from a register when a key is deleted. */
  private addRegisterWrite(op: MicroOp, index: number, history: History): void {
    const isFailed = history[index]!.outcome === "fail";
    const write = (key: Key, value: Value): void =>
      this.register(key, index).addWrite(index, value, isFailed, history);
    if (op[0] === "w") write(op[1], op[2]);
    else if (op[0] === "cas" && op[4] !== false) write(op[1], op[3]);
    else if (op[0] === "delete") {
      const known = this.byKey.get(op[1]);
      if (known?.kind === "list") known.hasDelete = true;
      else write(op[1], null);
    } else if (op[0] === "add" || op[0] === "remove" || op[0] === "contains") {
      throw new HistoryError(`T${index} works on a set; sets are judged for linearizability only`);
    }
  }
}

function mixed(key: Key, transaction: number): HistoryError {
  return new HistoryError(
    `T${transaction} uses ${JSON.stringify(key)} as a list and another as a register, or the reverse`,
  );
}

function* within(sorted: readonly string[], from: string, isIn: (key: string) => boolean): Generator<string> {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < from) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < sorted.length && isIn(sorted[at]!); at++) yield sorted[at]!;
}
