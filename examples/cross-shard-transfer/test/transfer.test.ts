import { expect, test } from "vitest";
import { type Bank, balances, dyingSession, inDoubt, openBank, transfer } from "../src/bank.ts";

const IMPATIENT = { inDoubtMs: 20 };

async function untilDecided(bank: Bank): Promise<void> {
  await expect.poll(() => inDoubt(bank), { timeout: 60_000 }).toEqual([0, 0]);
}

test("a transfer takes from one shard and gives to the other, or does neither", async () => {
  const bank = await openBank();
  const session = bank.node.session();
  await session.transact((tx) => transfer(tx, ...bank.accounts, 30));
  expect(await balances(bank)).toEqual([70, 130]);
  const tooMuch = session.transact((tx) => transfer(tx, ...bank.accounts, 71));
  await expect(tooMuch).rejects.toThrow("has 70 only");
  expect(await balances(bank)).toEqual([70, 130]);
  bank.node.close();
});

test("transfers both ways at once keep the total, and every reader sees it", async () => {
  const bank = await openBank();
  const [a, b] = bank.accounts;
  const transfers = Array.from({ length: 20 }, (_, i) =>
    bank.node
      .session()
      .transact((tx) => (i % 2 === 0 ? transfer(tx, a, b, 1 + i) : transfer(tx, b, a, i - 1))),
  );
  const totals = Array.from({ length: 5 }, async () => {
    const [first, second] = await balances(bank);
    return first + second;
  });
  await Promise.all(transfers);
  expect(await Promise.all(totals)).toEqual([200, 200, 200, 200, 200]);
  expect(await balances(bank)).toEqual([90, 110]);
  bank.node.close();
});

test.each([
  [0, 0, [100, 100]],
  [1, 1, [100, 100]],
  // Home has voted, so it is decided: only the other shard has not heard of it.
  [2, 1, [50, 150]],
])(
  "a coordinator that dies after %i requests leaves all of the money, and nothing in doubt",
  async (requests, prepared, after) => {
    const bank = await openBank(IMPATIENT);
    const dying = dyingSession(bank, requests).transact((tx) => transfer(tx, ...bank.accounts, 50));
    await expect(dying).rejects.toMatchObject({ code: "KHONSU_IN_DOUBT" });
    expect(inDoubt(bank).reduce((sum, count) => sum + count, 0)).toBe(prepared);
    await untilDecided(bank);
    expect(await balances(bank)).toEqual(after);
    await bank.node.session().transact((tx) => transfer(tx, ...bank.accounts, 50));
    expect(await balances(bank)).toEqual([after[0]! - 50, after[1]! + 50]);
    bank.node.close();
  },
);
