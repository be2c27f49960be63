/** `docs/spec/wire.md` and the code agree on what holds and where. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PACKAGE = `${ROOT}packages/transport-connect/`;
const SPEC = readFileSync(`${ROOT}docs/spec/wire.md`, "utf8");
const [before = "", enforcement = ""] = SPEC.split("## Where each is enforced");
const ids = [...before.matchAll(/^\| (WIRE-\d+) /gm)].map((match) => match[1]!);
const rows = [...enforcement.matchAll(/^\| (WIRE-\d+) +\| (.*?) +\| (.*?) +\|$/gm)].map(
  ([, id = "", code = "", tests = ""]) => ({ id, code, tests }),
);
const filesIn = (cell: string) => [...cell.matchAll(/`([\w./-]+)`/g)].map((match) => match[1]!);

test("every invariant has one row", () => {
  expect(ids).toEqual(Array.from({ length: 11 }, (_, i) => `WIRE-${i + 1}`));
  expect(rows.map(({ id }) => id)).toEqual(ids);
});

test.each(rows)("$id is named by the code and the tests that its row names", ({ code, id, tests }) => {
  const paths = [...filesIn(code).map((file) => `src/${file}`), ...filesIn(tests)];
  expect(paths.length).toBeGreaterThan(1);
  for (const path of paths) {
    expect(readFileSync(PACKAGE + path, "utf8"), path).toMatch(new RegExp(`\\b${id}\\b`));
  }
});
