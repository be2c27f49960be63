import { Khonsu } from "@khonsu/core";
import { expect, test } from "vitest";
import { openAccounts, total, transfer } from "../src/bank.ts";
import { withdrawTwice } from "../src/write-skew.ts";

test("under repeatable-read both withdrawals commit, and the total falls below zero", async () => {
  expect(await withdrawTwice("repeatable-read")).toEqual({ allowed: [true, true], total: -100, retries: 0 });
});

test("under serializable one of them runs again and is refused", async () => {
  const { allowed, total, retries } = await withdrawTwice("serializable");
  expect(allowed.toSorted()).toEqual([false, true]);
  expect(total).toBe(0);
  expect(retries).toBe(1);
});

test("transfers at the same time keep the total", async () => {
  await using db = await Khonsu.open();
  await openAccounts(db, 100, 100);
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      i % 2 === 0 ? transfer(db, "checking", "savings", i) : transfer(db, "savings", "checking", i),
    ),
  );
  expect(await total(db)).toBe(200);
});
