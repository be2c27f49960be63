// Walks through each transaction, tells what it saw of others from what it saw of itself, and finds what contradicts itself.
//
// RD-1  What a transaction wrote it reads back: own appends, in order, at the end of a list; its own last value in a register (AN-1).
// RD-2  What it saw of other transactions is the same at every read of a key (AN-2); read committed allows a difference.
// RD-3  It does not read what it writes only later (AN-1).
// RD-3 of lists is found with the version order, in list-order.ts.
import { describeMicroOp, describeObserved, isList, operationName } from "../../history/describe.ts";
import { HistoryError } from "../../history/history-error.ts";
import type { History, Key, MicroOp, Observed, Value } from "../../history/operation.ts";
import type { Findings } from "./findings.ts";
import type { KeyHistories, ListHistory, RegisterHistory } from "./key-history.ts";

/** What one transaction did to one list so far. */
interface OwnList {
  readonly list: ListHistory;
  /** Own appends since the last own delete. */
  own: Value[];
  isDeleted: boolean;
  /** What others had written when it last looked. */
  seen: readonly Value[] | undefined;
  lastRead: number;
}

/** What one transaction did to one register so far. */
interface OwnRegister {
  readonly register: RegisterHistory;
  isWritten: boolean;
  own: Value;
  isRead: boolean;
  seen: Value;
  lastRead: number;
}

/** Adds the reads of all transactions that are ok to `keys`; contradictions within one go to `findings`. */
export function addReads(history: History, keys: KeyHistories, findings: Findings): void {
  const walk = new TransactionWalk(keys, findings);
  for (let index = 0; index < history.length; index++) {
    const operation = history[index]!;
    if (operation.outcome === "ok") walk.transaction(index, operation.ops);
  }
}

class TransactionWalk {
  private readonly lists = new Map<Key, OwnList>();
  private readonly registers = new Map<Key, OwnRegister>();
  private readonly keys: KeyHistories;
  private readonly findings: Findings;
  private index = -1;

  constructor(keys: KeyHistories, findings: Findings) {
    this.keys = keys;
    this.findings = findings;
  }

  transaction(index: number, ops: readonly MicroOp[]): void {
    this.index = index;
    this.lists.clear();
    this.registers.clear();
    for (const op of ops) this.step(op);
  }

  private step(op: MicroOp): void {
    if (op[0] === "append") this.append(op[1], op[2]);
    else if (op[0] === "r") this.read(op[1], op[2] ?? null, false, op);
    else if (op[0] === "w") this.write(op[1], op[2]);
    else if (op[0] === "delete") this.delete(op[1]);
    else if (op[0] === "scan") this.scan(op);
    else if (op[0] === "cas" && op[4] !== false) {
      this.readRegister(this.ownRegister(op[1]), op[2], false, op);
      this.write(op[1], op[3]);
    }
  }

  private append(key: Key, element: Value): void {
    const state = this.ownList(key);
    state.own.push(element);
    const append = state.list.appendOf.get(element);
    if (state.lastRead >= 0 && append !== undefined) state.list.readThenAppend.push([state.lastRead, append]);
  }

  private write(key: Key, value: Value): void {
    const state = this.ownRegister(key);
    if (!state.isWritten && state.lastRead >= 0) {
      state.register.readThenWrite.push([state.lastRead, state.register.firstWriteOf(this.index)]);
    }
    state.isWritten = true;
    state.own = value;
  }

  private delete(key: Key): void {
    if (this.keys.get(key)?.kind !== "list") {
      this.write(key, null);
      return;
    }
    const state = this.ownList(key);
    state.own = [];
    state.isDeleted = true;
  }

  private scan(op: Extract<MicroOp, readonly ["scan", ...unknown[]]>): void {
    const found = new Set<Key>();
    for (const [key, observed] of op[2] ?? []) {
      found.add(key);
      this.read(key, observed, false, op);
    }
    for (const key of this.keys.keysIn(op[1])) if (!found.has(key)) this.read(key, null, true, op);
  }

  private read(key: Key, observed: Observed, isPredicate: boolean, op: MicroOp): void {
    const known = this.keys.get(key)?.kind;
    if (known === undefined && (observed === null || (isList(observed) && observed.length === 0))) return;
    if (known === "list" || (known === undefined && isList(observed))) {
      if (observed !== null && !isList(observed)) {
        throw new HistoryError(
          `T${this.index} reads ${JSON.stringify(observed)} from the list ${JSON.stringify(key)}`,
        );
      }
      this.readList(this.ownList(key), observed ?? [], isPredicate, op);
    } else if (isList(observed)) {
      throw new HistoryError(`T${this.index} reads a list from the register ${JSON.stringify(key)}`);
    } else {
      this.readRegister(this.ownRegister(key), observed, isPredicate, op);
    }
  }

  private readList(state: OwnList, observed: readonly Value[], isPredicate: boolean, op: MicroOp): void {
    const { own } = state;
    const cut = observed.length - own.length;
    const isOwnSeen = own.every((element, at) => observed[cut + at] === element);
    if (!isOwnSeen) {
      this.internal(
        op,
        state.list.key,
        `had itself appended ${describeObserved(own)}, which is not at the end`,
      );
    } else if (state.isDeleted) {
      if (cut > 0) this.internal(op, state.list.key, "had itself deleted the key before");
      return;
    }
    const others = isOwnSeen && own.length > 0 ? observed.slice(0, cut) : observed;
    if (state.seen !== undefined) {
      if (isSameList(state.seen, others)) return;
      this.unrepeated(op, state.list.key, describeObserved(state.seen), describeObserved(others));
    }
    state.seen = others;
    state.lastRead = state.list.addRead(this.index, others, isPredicate);
    if (own.length > 0) state.list.readAfterAppend.push(state.lastRead);
  }

  private readRegister(state: OwnRegister, observed: Value, isPredicate: boolean, op: MicroOp): void {
    if (state.isWritten) {
      if (observed === state.own) return;
      this.internal(op, state.register.key, `had itself written ${JSON.stringify(state.own)} before`);
    } else if (state.isRead) {
      if (observed === state.seen) return;
      this.unrepeated(op, state.register.key, JSON.stringify(state.seen), JSON.stringify(observed));
    }
    state.isRead = true;
    state.seen = observed;
    state.lastRead = state.register.addRead(this.index, observed, isPredicate);
  }

  private internal(op: MicroOp, key: Key, why: string): void {
    const explanation = `${operationName(this.index)} did "${describeMicroOp(op)}" but ${why}: it does not see its own writes.`;
    this.findings.add("internal", [this.index], explanation, key);
  }

  private unrepeated(op: MicroOp, key: Key, before: string, now: string): void {
    const explanation = `${operationName(this.index)} did "${describeMicroOp(op)}" and saw ${now} of others in ${JSON.stringify(key)}, where it had seen ${before} before: its reads are not of one state.`;
    this.findings.add("non-repeatable-read", [this.index], explanation, key);
  }

  private ownList(key: Key): OwnList {
    const known = this.lists.get(key);
    if (known !== undefined) return known;
    const list = this.keys.list(key, this.index);
    const state: OwnList = { list, own: [], isDeleted: false, seen: undefined, lastRead: -1 };
    this.lists.set(key, state);
    return state;
  }

  private ownRegister(key: Key): OwnRegister {
    const known = this.registers.get(key);
    if (known !== undefined) return known;
    const register = this.keys.register(key, this.index);
    const state: OwnRegister = {
      register,
      isWritten: false,
      own: null,
      isRead: false,
      seen: null,
      lastRead: -1,
    };
    this.registers.set(key, state);
    return state;
  }
}

function isSameList(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((element, at) => element === b[at]);
}
