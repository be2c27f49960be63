/** A transfer over two shards; then one whose coordinator dies after the first vote, and what the shards make of it. */
import { isKhonsuError } from "@khonsu/core";
import { balances, dyingSession, inDoubt, openBank, transfer } from "./bank.ts";

const bank = await openBank({ inDoubtMs: 200 });
const [from, to] = bank.accounts;
console.log(`${from} is in shard 0, ${to} in shard 1: ${await balances(bank)}`);

await bank.node.session().transact((tx) => transfer(tx, from, to, 30));
console.log(`after a transfer of 30: ${await balances(bank)}`);

try {
  await dyingSession(bank, 1).transact((tx) => transfer(tx, from, to, 50));
} catch (error) {
  console.log(`a coordinator dies after the first vote: ${isKhonsuError(error) ? error.code : error}`);
}
console.log(`prepared and not decided, by shard: ${inDoubt(bank)}`);

// Whoever reads meets what is prepared, asks its home, and has it aborted there when nobody decides.
console.log(`a reader finishes what it meets: ${await balances(bank)}`);
await bank.node.session().transact((tx) => transfer(tx, from, to, 50));
console.log(`again, with a coordinator that lives: ${await balances(bank)}; in doubt: ${inDoubt(bank)}`);
bank.node.close();
