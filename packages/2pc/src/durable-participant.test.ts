import { expect, test } from "vitest";
import type { DecisionLog } from "./decision-log.ts";
import { DurableParticipant, type DurableRecord, type ParticipantStore } from "./durable-participant.ts";
import type { Request } from "./message.ts";
import type { Change } from "./outcome-entry.ts";
import { MemoryDecisionLog, type MemoryMedium } from "./testing/memory-decision-log.ts";

type Write = { readonly key: string; readonly value: number };
type LogEntry = DurableRecord<Write, number, string, Saved>;
interface Saved {
  readonly values: [string, number][];
  readonly held: string[];
}

/** The smallest store that takes part: a map, and keys that are held. */
class MapStore implements ParticipantStore<Write, number, string, Saved> {
  values = new Map<string, number>();
  held = new Set<string>();

  certify({ key }: Write) {
    return this.held.has(key)
      ? ({ kind: "no", reason: "held" } as const)
      : ({ kind: "yes", value: 1 } as const);
  }
  change(change: Change<Write, number>): void {
    if (change.kind === "none") return;
    if (change.kind === "hold") this.held.add(change.request.key);
    else this.held.delete(change.request.key);
    if (change.kind === "install") this.values.set(change.request.key, change.request.value);
  }
  save(): Saved {
    return { values: [...this.values], held: [...this.held] };
  }
  restore(saved: Saved): void {
    this.values = new Map(saved.values);
    this.held = new Set(saved.held);
  }
}

const id = (random: number) => ({ birth: 1, random, home: 0 });
const prepare = (random: number, key = "a"): Request<Write, number, string> => ({
  kind: "prepare",
  id: id(random),
  participants: [0, 1],
  request: { key, value: random },
});
const commit = (random: number): Request<Write, number, string> => ({
  kind: "decide",
  id: id(random),
  outcome: { kind: "committed", value: 1 },
});

async function open(medium: MemoryMedium, wrap = (log: DecisionLog<LogEntry>) => log) {
  const store = new MapStore();
  const participant = await DurableParticipant.open(1, wrap(new MemoryDecisionLog<LogEntry>(medium)), store);
  return { store, participant };
}

test("TP-14: it answers what the log holds, and finds it again when it is opened", async () => {
  const medium = { lines: [] };
  const first = await open(medium);
  expect(await first.participant.handle(prepare(1))).toEqual({ kind: "prepared", value: 1 });
  expect(await first.participant.handle(prepare(2))).toMatchObject({ kind: "aborted" });
  const second = await open(medium);
  expect([...second.store.held]).toEqual(["a"]);
  expect(await second.participant.handle(commit(1))).toEqual({ kind: "committed", value: 1 });
  expect(second.store.values.get("a")).toBe(1);
  expect(await second.participant.handle({ kind: "inquire", id: id(2) })).toMatchObject({ kind: "aborted" });
});

test("what is asked for while a write is under way goes into one next write, and is answered in order", async () => {
  const writes: number[] = [];
  const { participant } = await open({ lines: [] }, (log) => ({
    append: async (records) => {
      writes.push(records.length);
      await log.append(records);
    },
    read: () => log.read(),
    replace: (records) => log.replace(records),
    close: () => log.close(),
  }));
  const answers = await Promise.all(
    [1, 2, 3, 4].map((random) => participant.handle(prepare(random, `k${random}`))),
  );
  expect(answers.map(({ kind }) => kind)).toEqual(["prepared", "prepared", "prepared", "prepared"]);
  expect(writes.reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(writes.length).toBeLessThanOrEqual(2);
});

test("a compacted log opens to the same store and table", async () => {
  const medium: MemoryMedium = { lines: [] };
  const first = await open(medium);
  await first.participant.handle(prepare(1));
  await first.participant.handle(commit(1));
  await first.participant.handle(prepare(2, "b"));
  await first.participant.raiseFloor(0);
  await first.participant.compact();
  expect(medium.lines).toHaveLength(1);
  const second = await open(medium);
  expect(second.participant.table.checkpoint()).toEqual(first.participant.table.checkpoint());
  expect(second.store.save()).toEqual(first.store.save());
  expect(await second.participant.handle(commit(2))).toMatchObject({ kind: "committed" });
});

test("the floor is in the log", async () => {
  const medium = { lines: [] };
  await (await open(medium)).participant.raiseFloor(7);
  const { participant } = await open(medium);
  expect(await participant.handle(prepare(1))).toEqual({ kind: "expired" });
});

test("after a failed write nothing is answered any more", async () => {
  const cause = new Error("disk full");
  const { participant, store } = await open({ lines: [] }, (log) => ({
    append: () => Promise.reject(cause),
    read: () => log.read(),
    replace: (records) => log.replace(records),
    close: () => log.close(),
  }));
  const both = [participant.handle(prepare(1)), participant.handle(prepare(2, "b"))];
  for (const result of await Promise.allSettled(both))
    expect(result).toEqual({ status: "rejected", reason: cause });
  await expect(participant.handle({ kind: "inquire", id: id(1) })).rejects.toBe(cause);
  await expect(participant.raiseFloor(3)).rejects.toBe(cause);
  await expect(participant.compact()).rejects.toBe(cause);
  expect(store.held.size).toBe(0);
});

test("refuses a malformed id or floor before it gets into the log", async () => {
  const medium: MemoryMedium = { lines: [] };
  const { participant } = await open(medium);
  const malformed = { ...prepare(1), id: { birth: 0.5, random: 1, home: 0 } };
  await expect(participant.handle(malformed)).rejects.toThrow(RangeError);
  await expect(participant.raiseFloor(Number.NaN)).rejects.toThrow(RangeError);
  expect(medium.lines).toEqual([]);
});
