import { expect, test } from "vitest";
import { OutcomeTable } from "./outcome-table.ts";
import { Recovery, type Rescue } from "./recovery.ts";

const id = (random: number) => ({ birth: 1, random, home: 0 });
const preparedAt = (self: number, count = 1) => {
  const table = new OutcomeTable<null, number, string>(self, () => ({ kind: "yes", value: 1 }));
  for (let random = 0; random < count; random += 1) {
    table.apply({ kind: "prepare", id: id(random), participants: [0, 1, 2], request: null });
  }
  return table;
};
const ticks = (recovery: Recovery, count: number): Rescue[] =>
  Array.from({ length: count }, () => recovery.tick()).flat();

test("TP-11: what stays prepared is due within patience, again and again", () => {
  const recovery = new Recovery(preparedAt(1), { seed: 1, patienceTicks: 10 });
  // First seen at the first tick, due between half the patience and the whole of it later.
  expect(ticks(recovery, 5)).toEqual([]);
  expect(ticks(recovery, 6)).toEqual([{ id: id(0), participants: [0, 1, 2] }]);
  expect(ticks(recovery, 100).length).toBeGreaterThanOrEqual(10);
});

test("what is finished in time is left alone", () => {
  const table = preparedAt(1);
  const recovery = new Recovery(table, { seed: 1, patienceTicks: 10 });
  ticks(recovery, 4);
  table.apply({ kind: "decide", id: id(0), outcome: { kind: "committed", value: 1 } });
  expect(ticks(recovery, 100)).toEqual([]);
});

test("a commit at home is due for those who have not acknowledged it", () => {
  const table = preparedAt(0);
  table.apply({ kind: "decide", id: id(0), outcome: { kind: "committed", value: 1 } });
  table.apply({ kind: "acknowledge", id: id(0), participants: [1] });
  const recovery = new Recovery(table, { seed: 1, patienceTicks: 10 });
  expect(ticks(recovery, 11)).toEqual([{ id: id(0), participants: [0, 2] }]);
  table.apply({ kind: "acknowledge", id: id(0), participants: [2] });
  expect(ticks(recovery, 100)).toEqual([]);
});

test("many that are found at once are not all due at once", () => {
  const recovery = new Recovery(preparedAt(1, 100), { seed: 1, patienceTicks: 20 });
  const perTick = Array.from({ length: 21 }, () => recovery.tick().length);
  expect(perTick.reduce((sum, count) => sum + count, 0)).toBe(100);
  expect(Math.max(...perTick)).toBeLessThan(40);
});

test("it is idle once nothing is unfinished", () => {
  const table = preparedAt(1);
  const recovery = new Recovery(table, { seed: 1, patienceTicks: 10 });
  recovery.tick();
  expect(recovery.isIdle).toBe(false);
  table.apply({ kind: "decide", id: id(0), outcome: { kind: "committed", value: 1 } });
  recovery.tick();
  expect(recovery.isIdle).toBe(true);
});
