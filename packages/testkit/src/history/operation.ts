// What a history consists of: operations as the client saw them, from invocation to completion.
//
// An operation is one transaction; a single read, write or compare-and-set is a transaction of one micro-operation.
// The written form is docs/spec/history-format.md (HF-1 to HF-9); the types here are the same thing in memory.

/** A key of the store under test. Numbers and strings are different keys: `1` is not `"1"`. */
export type Key = string | number;

/** A value or a list element. Compared by identity; `null` stands for "absent". */
export type Value = string | number | boolean | null;

/** `ok`: took effect. `fail`: certainly did not. `unknown`: may have taken effect, or may still do so. */
export type Outcome = "ok" | "fail" | "unknown";

/**
 * The keys that a scan covered: all string keys that begin with `prefix`, all string keys in `[from, to)` by UTF-16
 * code units (an end left out is open), or, when empty, every key of the store, numbers included.
 */
export type ScanRange = { readonly prefix: string } | { readonly from?: string; readonly to?: string };

/** What a read returned: a register's value, a list's or set's elements, or nothing when the read is not known. */
export type Observed = Value | readonly Value[];

/**
 * One step of a transaction, in the order in which it was executed. The first item names the step:
 *
 * - `r key observed` read a register (value), list or set (elements); `null` is "absent"
 * - `w key value` write a register; `delete key` remove a register or a list
 * - `cas key expected value applied` compare and set; `applied` defaults to true
 * - `append key element` append to a list
 * - `add key element`, `remove key element`, `contains key element observed` on a set
 * - `scan range rows` every key found in the range, with what it held; keys not listed were absent
 */
export type MicroOp =
  | readonly ["r", Key, Observed?]
  | readonly ["w", Key, Value]
  | readonly ["cas", Key, Value, Value, boolean?]
  | readonly ["append", Key, Value]
  | readonly ["add", Key, Value]
  | readonly ["remove", Key, Value]
  | readonly ["contains", Key, Value, boolean?]
  | readonly ["delete", Key]
  | readonly ["scan", ScanRange, (readonly (readonly [Key, Observed])[])?];

/** One operation of a history. */
export interface Operation {
  /** The client that issued it: an integer of at least 0. A process has one operation in flight at a time. */
  readonly process: number;
  /** When it was invoked, on one clock shared by all processes; any unit. */
  readonly invoke: number;
  /** When its completion was seen; at least `invoke`. Left out or ignored when the outcome is unknown. */
  readonly complete?: number;
  readonly outcome: Outcome;
  /** What it did. Reads of operations that are not `ok` count as not known. */
  readonly ops: readonly MicroOp[];
}

/** Operations in any order; an operation is referred to by its position. */
export type History = readonly Operation[];
