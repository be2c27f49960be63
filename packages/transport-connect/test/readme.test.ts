/** The examples of the README run as they stand, but for the addresses of a cluster. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { MemoryCluster } from "./helpers/memory-cluster.ts";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("two nodes", () => {
  const [, example = ""] = README.match(/```ts\n(.*?)```/s) ?? [];
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", example], {
    cwd: PACKAGE,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  expect(stdout.split("\n").sort()).toEqual(["", "1 to 2, group 7: hello", "hello yourself, 1"]);
});

test("a client", async () => {
  const cluster = await MemoryCluster.open({ nodes: 2 });
  const [, example = ""] = README.match(/## Clients\n.*?```ts\n(.*?)```/s) ?? [];
  const here = example.replace(/addresses: \[.*?\]/, `addresses: ${JSON.stringify(cluster.addresses)}`);
  expect(here).not.toBe(example);
  for (let runs = 0; runs < 2; runs++) {
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", here], { cwd: PACKAGE });
  }
  const rows = await cluster.session().transact((tx) => tx.read("account/alice"));
  expect(rows?.getChild("balance")?.get(0)).toBe(20);
  await cluster.close();
});
