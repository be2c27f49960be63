/**
 * The code in the READMEs runs, and prints what they say: each block is run as a program of its own, and its output is
 * compared with the comments behind `console.log(…);` and on the lines below it.
 */
import { execFile } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { testPath } from "./run-khonsu.ts";

const READMES = ["README.md", "packages/core/README.md", "packages/storage-level/README.md"];

const blocks = READMES.flatMap((readme) => {
  const text = readFileSync(testPath(`../../../${readme}`), "utf8");
  const found = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""], i) => ({
    name: `${readme} #${i + 1}`,
    code,
  }));
  if (found.length === 0) throw new Error(`${readme} has no code that could be run`);
  return found;
});

/** What the comments say that the code prints. */
function promisedOutput(code: string): readonly string[] {
  const printed = /console\.log\(.*\);(?: \/\/ (.*))?\n((?:\s*\/\/ .*\n)*)/g;
  return [...code.matchAll(printed)].flatMap(([, behind, below = ""]) => [
    ...(behind === undefined ? [] : [behind]),
    ...below.split("\n").flatMap(
      (line) =>
        line
          .trim()
          .match(/^\/\/ (.*)$/)
          ?.slice(1) ?? [],
    ),
  ]);
}

test.each(blocks)("$name runs and prints what it says", async ({ code }) => {
  using directory = new TemporaryDirectory("khonsu-readme-");
  symlinkSync(testPath("../node_modules"), join(directory.path, "node_modules"));
  const args = ["--input-type=module-typescript", "--eval", code];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: directory.path });
  expect(stdout.split("\n").slice(0, -1)).toEqual(promisedOutput(code));
  expect(stderr).toBe("");
});
