/**
 * A transfer over both stores, with a crash before and after each write that it makes; then the same for the recovery from
 * that crash. Whatever happens: the money adds up, nothing stays held, and the same id has one result for ever.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TransactionId } from "@khonsu/2pc";
import { MemoryDecisionLog, type MemoryMedium } from "@khonsu/2pc/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Bank, type BankLog, type BankRecord, type Transfer } from "../src/bank.ts";
import { Crash, type CrashPoint, crashingLogs } from "../src/crash.ts";
import { FileDecisionLog } from "../src/file-decision-log.ts";

const OPENING: Transfer = new Map([[0, { deltas: { bank: -100, alice: 100 } }]]);
const TRANSFER: Transfer = new Map([
  [0, { deltas: { alice: -30 } }],
  [1, { deltas: { bob: 30 } }],
]);
const TOO_MUCH: Transfer = new Map([
  [0, { deltas: { alice: -300 } }],
  [1, { deltas: { bob: 300 } }],
]);
/** Writes of one transfer: a prepare, the commit at home, the decision, the acknowledgement. */
const WRITES = 4;
const POINTS = Array.from({ length: WRITES }, (_, write) =>
  (["before", "after"] as const).map((when): CrashPoint => ({ write, when })),
).flat();

const id = (birth: number, home = 0): TransactionId => ({ birth, random: 1, home });

/** Opens the two logs, each time on the same medium. */
type OpenLogs = () => Promise<readonly BankLog[]>;

async function opened(openLogs: OpenLogs, crash?: CrashPoint): Promise<Bank> {
  const logs = await openLogs();
  return Bank.open(crash === undefined ? logs : crashingLogs(logs, crash));
}

function expectWhole(bank: Bank): void {
  expect(bank.unfinished).toBe(false);
  expect(bank.stores.flatMap(({ held }) => held)).toEqual([]);
  expect(bank.stores[0]!.total() + bank.stores[1]!.total()).toBe(0);
  const moved = bank.stores[1]!.balance("bob");
  expect([0, 30]).toContain(moved);
  expect(bank.stores[0]!.balance("alice")).toBe(100 - moved);
}

/** Dies at `point` unless it does not get that far. */
async function dies(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(Crash);
    return true;
  }
}

async function survives(openLogs: OpenLogs, point: CrashPoint, home: number): Promise<void> {
  await (await opened(openLogs)).transfer(id(1), OPENING);
  expect(await dies((await opened(openLogs, point)).transfer(id(2, home), TRANSFER))).toBe(true);
  // The recovery dies as well, later each time, until it gets through.
  for (let write = 0; await dies((await opened(openLogs, { write, when: "after" })).recover()); write += 1) {
    expect(write).toBeLessThan(20);
  }
  const bank = await opened(openLogs);
  expectWhole(bank);

  const moved = bank.stores[1]!.balance("bob");
  const first = await bank.transfer(id(2, home), TRANSFER);
  const second = await (await opened(openLogs)).transfer(id(2, home), TRANSFER);
  expect(second).toEqual(first);
  if (moved === 30) expect(first.kind).toBe("committed");
  const again = await opened(openLogs);
  expectWhole(again);
  expect(again.stores[1]!.balance("bob")).toBe(first.kind === "committed" ? 30 : 0);
}

describe.each([0, 1])("in memory, home %i", (home) => {
  test.each(POINTS)("a crash $when write $write", async (point) => {
    const media: MemoryMedium[] = [{ lines: [] }, { lines: [] }];
    await survives(async () => media.map((medium) => new MemoryDecisionLog<BankRecord>(medium)), point, home);
  });
});

describe("in files", () => {
  let directory: string;
  let open: FileDecisionLog<BankRecord>[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "two-stores-"));
  });
  afterEach(async () => {
    for (const log of open) await log.close();
    open = [];
    await rm(directory, { recursive: true });
  });
  const openLogs: OpenLogs = async () => {
    for (const log of open) await log.close();
    open = await Promise.all(
      [0, 1].map((store) => FileDecisionLog.open<BankRecord>(join(directory, `${store}.log`))),
    );
    return open;
  };

  test.each(POINTS)("a crash $when write $write", async (point) => {
    await survives(openLogs, point, 0);
  });
});

describe("without a crash", () => {
  const fresh = () => {
    const media: MemoryMedium[] = [{ lines: [] }, { lines: [] }];
    return { media, openLogs: async () => media.map((medium) => new MemoryDecisionLog<BankRecord>(medium)) };
  };

  test("a transfer takes the writes that the crashes above go through", async () => {
    const { media, openLogs } = fresh();
    const bank = await opened(openLogs);
    await bank.transfer(id(1), OPENING);
    const before = media[0]!.lines.length + media[1]!.lines.length;
    expect(await bank.transfer(id(2), TRANSFER)).toEqual({ kind: "committed", value: 0 });
    expect(media[0]!.lines.length + media[1]!.lines.length - before).toBe(WRITES);
    expectWhole(bank);
  });

  test("one store that says no aborts both", async () => {
    const { openLogs } = fresh();
    const bank = await opened(openLogs);
    await bank.transfer(id(1), OPENING);
    const result = await bank.transfer(id(2, 1), TOO_MUCH);
    expect(result).toMatchObject({
      kind: "aborted",
      reason: { kind: "vote", participant: 0, reason: "too little money" },
    });
    expectWhole(bank);
  });

  test("what was forgotten has expired, and its effects stay", async () => {
    const { media, openLogs } = fresh();
    const bank = await opened(openLogs);
    await bank.transfer(id(1), OPENING);
    await bank.transfer(id(2), TRANSFER);
    await bank.forget(2);
    expect(media.map(({ lines }) => lines.length)).toEqual([1, 1]);
    const again = await opened(openLogs);
    expect(await again.transfer(id(2), TRANSFER)).toEqual({ kind: "expired" });
    expectWhole(again);
    expect(again.stores[1]!.balance("bob")).toBe(30);
  });
});
