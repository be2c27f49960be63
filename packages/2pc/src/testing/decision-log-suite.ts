/**
 * What every `DecisionLog` must do, for whichever test runner: pass its `test` function, and a factory that opens a log on a
 * medium that is the same one each time within a case.
 */
import assert from "node:assert/strict";
import type { DecisionLog } from "../decision-log.ts";

/** Any JSON value is a record; a log keeps it as it is. */
export type SuiteRecord = { readonly [name: string]: unknown };

/** One case's medium: empty at first, kept from one opening to the next. */
export interface SuiteMedium {
  open(): Promise<DecisionLog<SuiteRecord>>;
  /** Loses what a power failure would, and leaves logs that are open unusable. Only with `supports.crash`. */
  crash?(): Promise<void>;
  /** Cuts the last `bytes` off the medium, as a torn write does. Only with `supports.tear`. */
  tear?(bytes: number): Promise<void>;
  /** Makes the next write fail. Only with `supports.failWrite`. */
  failNextWrite?(): void;
  /** Removes the medium. */
  dispose(): Promise<void>;
}

export interface DecisionLogSuiteOptions {
  /** Such as vitest's `test` or that of `node:test`. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** A new, empty medium. */
  readonly factory: () => Promise<SuiteMedium>;
  /** What the medium can do; what it cannot is not tested. Default: none. */
  readonly supports?: { readonly crash?: boolean; readonly tear?: boolean; readonly failWrite?: boolean };
}

type Case = readonly [name: string, run: (medium: SuiteMedium) => Promise<void>];

const record = (number: number): SuiteRecord => ({
  number,
  text: "ключ \n\u0000",
  nested: { list: [1, null, true] },
});
const records = (...numbers: number[]): SuiteRecord[] => numbers.map(record);

const ALWAYS: readonly Case[] = [
  [
    "a new log is empty",
    async (medium) => {
      const log = await medium.open();
      assert.deepEqual(await log.read(), []);
      await log.close();
    },
  ],
  [
    "records come back as they were appended, in order",
    async (medium) => {
      const log = await medium.open();
      await log.append(records(1, 2));
      await log.append([]);
      await log.append(records(3));
      assert.deepEqual(await log.read(), records(1, 2, 3));
      await log.close();
    },
  ],
  [
    "records are there when the log is opened again, and further ones go behind them",
    async (medium) => {
      const first = await medium.open();
      await first.append(records(1, 2));
      await first.close();
      const second = await medium.open();
      await second.append(records(3));
      assert.deepEqual(await second.read(), records(1, 2, 3));
      await second.close();
    },
  ],
  [
    "what replaces all records takes their place, and further ones go behind it",
    async (medium) => {
      const first = await medium.open();
      await first.append(records(1, 2, 3));
      await first.replace(records(9));
      await first.append(records(10));
      await first.close();
      const second = await medium.open();
      assert.deepEqual(await second.read(), records(9, 10));
      await second.close();
    },
  ],
  [
    "a second close does nothing, and a closed log refuses",
    async (medium) => {
      const log = await medium.open();
      await log.close();
      await log.close();
      await assert.rejects(log.append(records(1)));
      await assert.rejects(log.read());
      await assert.rejects(log.replace([]));
    },
  ],
];

const WITH_CRASH: readonly Case[] = [
  [
    "what was appended or replaced survives a crash",
    async (medium) => {
      const first = await medium.open();
      await first.append(records(1));
      await first.append(records(2));
      await medium.crash?.();
      const second = await medium.open();
      assert.deepEqual(await second.read(), records(1, 2));
      await second.replace(records(5));
      await medium.crash?.();
      const third = await medium.open();
      assert.deepEqual(await third.read(), records(5));
      await third.close();
    },
  ],
];

const WITH_TEAR: readonly Case[] = [
  [
    "a torn last record is cut off, and further ones go where it was",
    async (medium) => {
      const first = await medium.open();
      await first.append(records(1, 2));
      await first.close();
      await medium.tear?.(3);
      const second = await medium.open();
      assert.deepEqual(await second.read(), records(1));
      await second.append(records(3));
      await second.close();
      const third = await medium.open();
      assert.deepEqual(await third.read(), records(1, 3));
      await third.close();
    },
  ],
];

const WITH_FAILED_WRITE: readonly Case[] = [
  [
    "an append that fails says so, nothing can be appended afterwards, and what was there before is kept",
    async (medium) => {
      const first = await medium.open();
      await first.append(records(1));
      medium.failNextWrite?.();
      await assert.rejects(first.append(records(2)));
      await assert.rejects(first.append(records(3)));
      await first.close();
      const second = await medium.open();
      const kept = await second.read();
      assert.deepEqual(kept.slice(0, 1), records(1));
      assert.ok(kept.length <= 2, "what was refused is not there");
      await second.close();
    },
  ],
];

/** Declares one test for each case, named `decision log: …`. */
export function decisionLogSuite({ test, factory, supports = {} }: DecisionLogSuiteOptions): void {
  const cases = [
    ...ALWAYS,
    ...(supports.crash ? WITH_CRASH : []),
    ...(supports.tear ? WITH_TEAR : []),
    ...(supports.failWrite ? WITH_FAILED_WRITE : []),
  ];
  for (const [name, run] of cases) {
    test(`decision log: ${name}`, async () => {
      const medium = await factory();
      try {
        await run(medium);
      } finally {
        await medium.dispose();
      }
    });
  }
}
