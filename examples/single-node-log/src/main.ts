/** Transfers between accounts in several shards, a restart, and the same accounts again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { one, valueIn } from "./numbers.ts";
import { openNode, type RunningNode } from "./open-node.ts";

const directory = await mkdtemp(join(tmpdir(), "single-node-log-"));
const names = ["alice", "bob", "carol", "dave"];

async function show(what: string, node: RunningNode): Promise<void> {
  const balances = await node.session().transact(
    async (tx) => {
      const found: string[] = [];
      for await (const [key, batch] of tx.scan({ prefix: "account/" }))
        found.push(`${key} ${valueIn(batch)}`);
      return found;
    },
    { readOnly: true },
  );
  console.log(`${what}: ${balances.join(", ")}`);
}

try {
  const node = await openNode(directory);
  const session = node.session();
  await session.transact((tx) => {
    for (const name of names) tx.write(`account/${name}`, one(100));
  });
  for (let i = 0; i < 20; i++) {
    const [from, to] = [`account/${names[i % 4]}`, `account/${names[(i * 3 + 1) % 4]}`];
    await session.transact(async (tx) => {
      const [before, after] = [valueIn(await tx.read(from)), valueIn(await tx.read(to))];
      if (from === to || before < i) return;
      tx.write(from, one(before - i));
      tx.write(to, one(after + i));
    });
  }
  await show("before the restart", node);
  await node.close();
  const again = await openNode(directory);
  await show("after it", again);
  await again.close();
} finally {
  await rm(directory, { recursive: true });
}
