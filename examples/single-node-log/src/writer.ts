/** Commits numbers one after the other, over two shards at least, and says each once it is acknowledged. Runs until it is killed. */
import { one } from "./numbers.ts";
import { openNode } from "./open-node.ts";

const node = await openNode(process.argv[2]!);
const session = node.session();
for (let number = 1; ; number++) {
  await session.transact((tx) => {
    for (const key of ["a", "b", "c", "d"]) tx.write(`${key}/${number}`, one(number));
  });
  process.stdout.write(`${number}\n`);
}
