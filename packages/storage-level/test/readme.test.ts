/** The examples of the README run as they stand, and what they wrote is there when they run again. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const EXAMPLES = [...README.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);

/** What the example prints when it works in `directory`. */
function run(example: string, directory: string): string {
  const source = example.replace(/"\.\/(data|consensus)"/, (_, name) =>
    JSON.stringify(join(directory, name)),
  );
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", source], {
    cwd: PACKAGE,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

test("the examples run", () => {
  const directory = mkdtempSync(join(tmpdir(), "khonsu-readme-"));
  const [store, consensus] = EXAMPLES;
  expect(run(store!, directory)).toBe("visit 1\n");
  expect(run(store!, directory)).toBe("visit 2\n");
  expect(run(consensus!, directory)).toBe("decided up to slot 0\n");
  rmSync(directory, { recursive: true });
});
