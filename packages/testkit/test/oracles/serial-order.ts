// The definitions by brute force, for small histories: is there an order, or an interleaving, that gives every read?
import type { Key, MicroOp, Observed, Operation, Value } from "../../src/history/operation.ts";

/** What a store holds: lists by key, or register values by key. */
type State = ReadonlyMap<Key, Observed>;

/** Runs a transaction on a state; undefined when one of its reads would have returned something else. */
export function execute(state: State, ops: readonly MicroOp[], isChecked: boolean): State | undefined {
  const next = new Map(state);
  for (const op of ops) {
    if (op[0] === "append") next.set(op[1], [...((next.get(op[1]) as Value[]) ?? []), op[2]]);
    else if (op[0] === "w") next.set(op[1], op[2]);
    else if (op[0] === "delete") next.delete(op[1]);
    else if (op[0] === "r" && isChecked && !isSame(next.get(op[1]), op[2])) return undefined;
    else if (op[0] === "scan" && isChecked) {
      const rows = new Map(op[2]);
      for (const key of new Set([...next.keys(), ...rows.keys()])) {
        if (!isSame(next.get(key), rows.get(key))) return undefined;
      }
    }
  }
  return next;
}

function isSame(held: Observed | undefined, observed: Observed | undefined): boolean {
  const isEmpty = (value: Observed | undefined): boolean =>
    value === undefined || value === null || (Array.isArray(value) && value.length === 0);
  return isEmpty(held) ? isEmpty(observed) : JSON.stringify(held) === JSON.stringify(observed);
}

/** Must `a` come before `b`? */
export type Before = (a: Operation, b: Operation) => boolean;

export const noOrder: Before = () => false;
export const realTime: Before = (a, b) => a.outcome === "ok" && a.complete! < b.invoke;
export const sessions: Before = (a, b) =>
  a.process === b.process && a.outcome === "ok" && a.complete! <= b.invoke && a !== b;

/** Whether the ok transactions, with some of the unknown ones, have a serial order that keeps `before` and gives every read. */
export function hasSerialOrder(history: readonly Operation[], before: Before): boolean {
  const extend = (left: readonly Operation[], state: State): boolean => {
    if (left.every((operation) => operation.outcome === "unknown")) return true;
    return left.some((next) => {
      if (left.some((other) => other !== next && other.outcome === "ok" && before(other, next))) return false;
      const after = execute(state, next.ops, next.outcome === "ok");
      return (
        after !== undefined &&
        extend(
          left.filter((other) => other !== next),
          after,
        )
      );
    });
  };
  return extend(
    history.filter((operation) => operation.outcome !== "fail"),
    new Map(),
  );
}

/** Whether an interleaving of begins and commits under snapshot isolation (first committer wins) gives every read. */
export function hasSnapshotInterleaving(history: readonly Operation[]): boolean {
  const written = history.map(
    (operation) => new Set(operation.ops.filter(isWrite).map((op) => op[1] as Key)),
  );
  const begun = new Map<number, { snapshot: State; overwritten: Set<Key> }>();
  const extend = (waiting: readonly number[], open: readonly number[], state: State): boolean => {
    if (waiting.length === 0 && open.length === 0) return true;
    for (const index of waiting) {
      if (execute(state, history[index]!.ops, true) === undefined) continue;
      begun.set(index, { snapshot: state, overwritten: new Set() });
      if (
        extend(
          waiting.filter((other) => other !== index),
          [...open, index],
          state,
        )
      )
        return true;
    }
    for (const index of open) {
      const { overwritten } = begun.get(index)!;
      if ([...written[index]!].some((key) => overwritten.has(key))) continue;
      const others = open.filter((other) => other !== index);
      const saved = others.map((other) => [other, begun.get(other)!] as const);
      for (const [other, { snapshot, overwritten: keys }] of saved) {
        begun.set(other, { snapshot, overwritten: new Set([...keys, ...written[index]!]) });
      }
      const after = execute(state, history[index]!.ops.filter(isWrite), false)!;
      if (extend(waiting, others, after)) return true;
      for (const [other, own] of saved) begun.set(other, own);
    }
    return false;
  };
  return extend([...history.keys()], [], new Map());
}

function isWrite(op: MicroOp): boolean {
  return op[0] === "append" || op[0] === "w" || op[0] === "delete";
}
