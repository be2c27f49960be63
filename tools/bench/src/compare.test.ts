import { expect, test } from "vitest";
import {
  type BenchCase,
  compare,
  median,
  nearestRank,
  quantile,
  type Subject,
  Unavailable,
} from "./compare.ts";
import { silent } from "./progress.ts";
import { coreCases } from "./suites/core.ts";
import { rowsFrom } from "./suites/growth.ts";

const options = { suite: "test", rounds: 3, progress: silent };

test("subjects take turns, and every one gets the same operations in each round", async () => {
  const calls: string[] = [];
  const subject = (name: string): Subject => ({
    name,
    prepare: () => ({ run: (operations) => void calls.push(`${name}${operations}`) }),
  });
  const cases: BenchCase[] = [
    { name: "c", operations: 10, slice: 10, subjects: [subject("a"), subject("b")] },
  ];
  const rows = await compare(cases, options);
  expect(calls).toEqual(["a2", "b2", "a10", "b10", "a10", "b10", "a10", "b10"]);
  expect(rows.map(({ subject: name, rounds }) => [name, rounds])).toEqual([
    ["a", 3],
    ["b", 3],
  ]);
});

test("a subject that gets warm by itself does so instead of a fifth of a round", async () => {
  const calls: string[] = [];
  const subject: Subject = {
    name: "warm",
    prepare: () => ({
      warm: async () => void calls.push("warm"),
      run: (operations) => void calls.push(`run ${operations}`),
    }),
  };
  await compare([{ name: "c", operations: 10, slice: 10, subjects: [subject] }], options);
  expect(calls).toEqual(["warm", "run 10", "run 10", "run 10"]);
});

test("a case says how many operations do not count", async () => {
  const calls: number[] = [];
  const subject: Subject = {
    name: "a",
    share: 0.5,
    prepare: () => ({ run: (operations) => void calls.push(operations) }),
  };
  await compare([{ name: "c", operations: 10, slice: 10, warmUp: 30, subjects: [subject] }], options);
  expect(calls).toEqual([10, 5, 5, 5, 5]);
});

test("a subject with a share does that part of the operations", async () => {
  const calls: number[] = [];
  const subject: Subject = {
    name: "slow",
    share: 0.5,
    prepare: () => ({ run: (operations) => void calls.push(operations) }),
  };
  await compare([{ name: "c", operations: 20, slice: 20, subjects: [subject] }], options);
  expect(calls).toEqual([2, 10, 10, 10]);
});

test("latencies that a subject measures itself are the ones reported", async () => {
  const subject: Subject = {
    name: "a",
    prepare: () => ({ run: (_, latencies) => void latencies.push(5, 5, 7) }),
  };
  const [row] = await compare([{ name: "c", operations: 3, slice: 3, subjects: [subject] }], options);
  expect(row).toMatchObject({ p50_us: 5, p99_us: 7, ratio_to_khonsu: 1 });
});

test("a peer that is missing is skipped with a note; any other failure is one", async () => {
  const notes: string[] = [];
  const progress = { ...silent, note: (line: string) => void notes.push(line) };
  const failing = (error: Error): Subject => ({ name: "peer", prepare: () => Promise.reject(error) });
  const missing = { name: "c", operations: 1, subjects: [failing(new Unavailable("install it"))] };
  expect(await compare([missing], { ...options, progress })).toEqual([]);
  expect(notes).toEqual(["skipped peer: install it"]);
  const broken = { name: "c", operations: 1, subjects: [failing(new Error("broken"))] };
  await expect(compare([broken], options)).rejects.toThrow("broken");
});

test("every subject of the core suite runs", async () => {
  const rows = await compare(coreCases(0.002), { ...options, rounds: 1 });
  expect(rows.length).toBeGreaterThanOrEqual(13);
  for (const row of rows) expect(row.ops_per_s).toBeGreaterThan(0);
});

test("medians, quantiles and generated rows are what they say", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(3);
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0, 0.01, 0.5, 0.99, 1].map((q) => nearestRank(hundred, q))).toEqual([1, 1, 50, 99, 100]);
  expect([...rowsFrom(5, 3).getChild("id")!]).toEqual([5, 6, 7]);
});
