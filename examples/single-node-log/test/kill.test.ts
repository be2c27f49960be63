import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { valueIn } from "../src/numbers.ts";
import { openNode } from "../src/open-node.ts";

const writer = fileURLToPath(new URL("../src/writer.ts", import.meta.url));

/** Lets the writer commit so many times, kills it in the middle of the next, and gives the last number that it acknowledged. */
async function killAfter(directory: string, commits: number): Promise<number> {
  const child = spawn(process.execPath, [writer, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(child, "exit");
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (last === commits) child.kill("SIGKILL");
  }
  await gone;
  return last;
}

test("what a killed process had acknowledged is there, and no transaction is there in part", async () => {
  const directory = await mkdtemp(join(tmpdir(), "killed-"));
  const acknowledged = await killAfter(directory, 30);
  expect(acknowledged).toBeGreaterThanOrEqual(30);
  const node = await openNode(directory);
  const found = await node.session().transact(
    async (tx) => {
      const counts = new Map<number, number>();
      for await (const [, batch] of tx.scan())
        counts.set(valueIn(batch), (counts.get(valueIn(batch)) ?? 0) + 1);
      return counts;
    },
    { readOnly: true },
  );
  for (let number = 1; number <= acknowledged; number++) expect(found.get(number)).toBe(4);
  for (const count of found.values()) expect(count).toBe(4);
  expect(found.size).toBeLessThanOrEqual(acknowledged + 1);
  await node.close();
  await rm(directory, { recursive: true });
});
