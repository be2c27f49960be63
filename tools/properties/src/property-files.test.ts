import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { propertyFiles } from "./property-files.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** A repository of these files, gone after the test. */
function repository(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "khonsu-properties-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

test("imports are followed, through helpers, round circles and into other packages", () => {
  const root = repository({
    "packages/a/package.json":
      '{"name":"@khonsu/a","exports":{".":"./src/index.ts","./suite":"./src/suite.ts"}}',
    "packages/a/src/index.ts": "export const a = 1;",
    "packages/a/src/suite.ts": 'export * from "./cases.ts";',
    "packages/a/src/cases.ts": 'import fc from "fast-check";\nimport "./suite.ts";',
    "packages/a/src/cases.test.ts": 'import {\n  one,\n} from "./cases.ts";',
    "packages/a/src/plain.test.ts": 'import { a } from "./index.ts";',
    "packages/a/test/late.test.ts": 'const { one } = await import("../src/cases.ts");',
    "packages/a/test/own.test.ts": "const SEED = process.env.KHONSU_SEED;",
    "packages/a/test/typed.test.ts": 'import type { Arbitrary } from "fast-check";',
    "apps/b/package.json": '{"name":"@khonsu/b"}',
    "apps/b/test/suite.test.ts": 'import { one } from "@khonsu/a/suite";',
    "apps/b/test/text.test.ts":
      'import { a } from "@khonsu/a";\nconst text = `import x from "./nowhere.ts"`;',
    "tools/c/package.json": '{"name":"@khonsu/c"}',
    "tools/c/src/plain.test.ts": "",
  });
  const found = propertyFiles(root).map(({ name, directory, files }) => [
    name,
    relative(root, directory),
    files,
  ]);
  expect(found).toEqual([
    ["@khonsu/a", "packages/a", ["src/cases.test.ts", "test/late.test.ts", "test/own.test.ts"]],
    ["@khonsu/b", "apps/b", ["test/suite.test.ts"]],
  ]);
});

test("in this repository, every package that has some runs them with the seeds of setup.ts", () => {
  const packages = propertyFiles(ROOT);
  expect(packages.length).toBeGreaterThan(9);
  for (const { directory } of packages) {
    const configuration = readFileSync(join(directory, "vitest.config.ts"), "utf8");
    expect(configuration, directory).toMatch(
      /import \{ testConfig \} from ".*\/vitest-config\.ts";\s+export default testConfig;/,
    );
  }
});
