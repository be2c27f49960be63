/** The first example of the README runs as it stands. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

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
