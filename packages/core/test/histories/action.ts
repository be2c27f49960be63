/** What clients do in a random history, and how such histories are made up. */
import fc from "fast-check";
import type { IsolationLevel } from "../../src/index.ts";

export const KEYS = ["a/1", "a/2", "a/3", "b/1", "b/2", "c/1"] as const;
export const POLICIES = ["fail", "ignore", "replace", "append", "function"] as const;
export type Policy = (typeof POLICIES)[number];

/** Something that can also be done within a nested transaction. */
export type Simple =
  | { readonly kind: "read" | "delete" | "append" | "write" | "update" | "ensure"; readonly key: string }
  | { readonly kind: "upsert"; readonly key: string; readonly ids: readonly number[] }
  | { readonly kind: "writeIf"; readonly key: string; readonly holds: boolean }
  | {
      readonly kind: "scan";
      readonly from: string;
      readonly to: string;
      readonly reverse: boolean;
      readonly limit: number;
      /** The consumer breaks off after so many. */
      readonly stopAfter: number;
    };

export type Action =
  | Simple
  | { readonly kind: "savepoint" | "rollbackTo" | "release"; readonly name: string }
  | { readonly kind: "nested"; readonly body: readonly Simple[]; readonly throws: boolean }
  /** The first alternative retries. */
  | { readonly kind: "orElse"; readonly first: readonly Simple[]; readonly second: readonly Simple[] }
  | End;

export interface End {
  readonly kind: "commit" | "rollback";
}

/** How a client begins its next transaction. */
export interface Setup {
  readonly level: IsolationLevel;
  readonly policy: Policy;
  readonly readOnly: boolean;
}

export interface Command {
  readonly client: number;
  readonly setup: Setup;
  readonly action: Action;
}

const key = fc.constantFrom(...KEYS);
const name = fc.constantFrom("s", "t");
const kind = <const K extends string>(...kinds: K[]) => fc.constantFrom(...kinds);

const simple: fc.Arbitrary<Simple> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind("read"), key }) },
  { weight: 6, arbitrary: fc.record({ kind: kind("write", "append", "update", "delete"), key }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("ensure"), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind("upsert"),
      key,
      ids: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind("writeIf"), key, holds: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind("scan"),
      from: fc.constantFrom("", "a/2", "b/"),
      to: fc.constantFrom("b/", "b/2", "d"),
      reverse: fc.boolean(),
      limit: fc.constantFrom(0, 1, 2, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
      stopAfter: fc.constantFrom(1, 2, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
    }),
  },
);
const body = fc.array(simple, { minLength: 1, maxLength: 3 });

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 20, arbitrary: simple },
  { weight: 3, arbitrary: fc.record({ kind: kind("savepoint", "rollbackTo", "release"), name }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("nested"), body, throws: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("orElse"), first: body, second: body }) },
  { weight: 7, arbitrary: fc.record({ kind: kind("commit") }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("rollback") }) },
);

/** @param levels those that transactions choose from. */
export function histories(levels: readonly IsolationLevel[], maxLength: number): fc.Arbitrary<Command[]> {
  const setup = fc.record({
    level: fc.constantFrom(...levels),
    policy: fc.constantFrom(...POLICIES),
    readOnly: fc.constantFrom(false, false, false, true),
  });
  const command = fc.record({ client: fc.integer({ min: 0, max: 4 }), setup, action });
  return fc.array(command, { minLength: 1, maxLength, size: "max" });
}
