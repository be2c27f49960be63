/** A short demonstration: two stores in files, a transfer, a crash in the middle of another, and what recovery makes of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TransactionId } from "@khonsu/2pc";
import { Bank, type BankLog, type BankRecord, type Transfer } from "./bank.ts";
import { type CrashPoint, crashingLogs } from "./crash.ts";
import { FileDecisionLog } from "./file-decision-log.ts";

const directory = await mkdtemp(join(tmpdir(), "two-stores-"));

/** Opens both stores again, as after a restart; with a crash point they die there. */
async function openBank(crash?: CrashPoint): Promise<Bank> {
  const logs: BankLog[] = await Promise.all(
    [0, 1].map((store) => FileDecisionLog.open<BankRecord>(join(directory, `store-${store}.log`))),
  );
  return Bank.open(crash === undefined ? logs : crashingLogs(logs, crash));
}

const transfer = (from: string, to: string, amount: number): Transfer =>
  new Map([
    [0, { deltas: { [from]: -amount } }],
    [1, { deltas: { [to]: amount } }],
  ]);
const id = (birth: number): TransactionId => ({ birth, random: birth, home: 0 });
const show = (what: string, bank: Bank) =>
  console.log(`${what}: bank ${bank.stores[0]!.balance("bank")}, bob ${bank.stores[1]!.balance("bob")}`);

try {
  const bank = await openBank();
  console.log("first transfer:", (await bank.transfer(id(1), transfer("bank", "bob", 100))).kind);
  show("after it", bank);

  const dying = await openBank({ write: 2, when: "before" });
  await dying
    .transfer(id(2), transfer("bank", "bob", 30))
    .catch((error: Error) => console.log(error.message));
  const restarted = await openBank();
  show("after the restart", restarted);
  console.log("accounts held in doubt:", restarted.stores.flatMap(({ held }) => held).join(", "));
  await restarted.recover();
  show("after recovery", restarted);
  console.log(
    "the client asks again, same id:",
    (await restarted.transfer(id(2), transfer("bank", "bob", 30))).kind,
  );
} finally {
  await rm(directory, { recursive: true });
}
