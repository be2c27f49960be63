import { expect, test } from "vitest";
import { TurnBoard } from "./turn-board.ts";

test("a key that is written meets all who touch it, one that is read those who write it", () => {
  const board = new TurnBoard();
  board.add({ written: ["w"], read: ["r"] });
  expect(board.meets({ written: ["w"], read: [] })).toBe(true);
  expect(board.meets({ written: [], read: ["w"] })).toBe(true);
  expect(board.meets({ written: ["r"], read: [] })).toBe(true);
  expect(board.meets({ written: ["other"], read: ["r"] })).toBe(false);
});

test("who leaves takes along what it added, and nothing else", () => {
  const board = new TurnBoard();
  const one = { written: ["k"], read: ["r"] };
  board.add(one);
  board.add(one);
  expect([board.wanted("k"), board.wanted("r"), board.wanted("other")]).toEqual([2, 2, 0]);
  board.remove(one);
  expect(board.meets(one)).toBe(true);
  board.remove(one);
  expect([board.isEmpty, board.wanted("k")]).toEqual([true, 0]);
});
