/**
 * The code in the READMEs of the repository, of core and of the node runs: each block is a program of its own, and prints what the
 * comments behind `console.log(…);` and on the lines below it say. Other packages have such a test of their own.
 */
import { execFile } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { freePorts } from "./node/free-ports.ts";
import { testPath } from "./run-khonsu.ts";

const READMES = ["README.md", "packages/core/README.md", "apps/node/README.md"];

/** The blocks of code of a README. */
function blocksOf(readme: string): readonly { readonly name: string; readonly code: string }[] {
  const text = readFileSync(testPath(`../../../${readme}`), "utf8");
  const found = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""], i) => ({
    name: `${readme} #${i + 1}`,
    code,
  }));
  if (found.length === 0) throw new Error(`${readme} has no code that could be run`);
  return found;
}

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

async function run(code: string): Promise<{ stdout: string; stderr: string }> {
  using directory = new TemporaryDirectory("khonsu-readme-");
  symlinkSync(testPath("../node_modules"), join(directory.path, "node_modules"));
  // This package is not among its own dependencies, so that a program outside finds it by its path.
  const [port] = await freePorts(1);
  const own = new URL("../src/index.ts", import.meta.url).href;
  const args = [
    "--input-type=module-typescript",
    "--eval",
    code.replace('"@khonsu/node"', JSON.stringify(own)).replaceAll("50052", String(port)),
  ];
  return await promisify(execFile)(process.execPath, args, { cwd: directory.path });
}

test.each(READMES.flatMap(blocksOf))("$name runs and prints what it says", async ({ code }) => {
  const { stdout, stderr } = await run(code);
  expect(stdout.split("\n").slice(0, -1)).toEqual(promisedOutput(code));
  expect(stderr).toBe("");
});
