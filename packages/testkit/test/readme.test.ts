// The code blocks of the README run, and print what their comments say.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
// Inside the package, so that its own name resolves; dist is not under version control.
const directory = join(root, "dist", "readme");
const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1]!);

beforeAll(() => mkdirSync(directory, { recursive: true }));
afterAll(() => rmSync(directory, { recursive: true }));

it.each(blocks.map((code, number) => ({ number, code })))(
  "README example $number runs",
  ({ number, code }) => {
    const file = join(directory, `example-${number}.ts`);
    writeFileSync(file, code);
    const printed = execFileSync(process.execPath, [file], { encoding: "utf8" });
    const promised = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
    if (promised.length > 0) expect(printed.trim().split("\n")).toEqual(promised);
  },
);

it("shows what khonsu-check says about the sample", () => {
  const [, shown] = /^```text\n(.*?)^```/ms.exec(readme)!;
  const command = join(root, "src", "cli", "khonsu-check.ts");
  const run = (): string => {
    try {
      return execFileSync(process.execPath, [command, join(root, "samples", "write-skew.jsonl")], {
        encoding: "utf8",
      });
    } catch (error) {
      expect((error as { status: number }).status).toBe(1);
      return (error as { stdout: string }).stdout;
    }
  };
  expect(run()).toContain(shown!);
});

it("has history lines that are those of the sample", () => {
  const [, lines] = /^```json\n(.*?)^```/ms.exec(readme)!;
  expect(readFileSync(join(root, "samples", "write-skew.jsonl"), "utf8")).toContain(lines!);
});
