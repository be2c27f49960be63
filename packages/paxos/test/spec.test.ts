import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PACKAGE = `${ROOT}packages/paxos/`;
const SPEC = readFileSync(`${ROOT}docs/spec/paxos.md`, "utf8");
const [invariants = "", enforcement = ""] = SPEC.split("## Where each is enforced");

const idsIn = (text: string): Set<string> => new Set(text.match(/PX-\d+/g));

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|txt)$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

const rows = new Map(
  enforcement
    .split("\n")
    .filter((line) => line.startsWith("| PX-"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, id = "", code = "", outside = ""]) => [id, { code, outside }]),
);

test("every invariant has a row that says what enforces it, and every row an invariant", () => {
  const numbered = new Set(invariants.match(/^\| (PX-\d+)/gm)?.map((line) => line.slice(2)));
  expect(numbered.size).toBe(21);
  expect(new Set(rows.keys())).toEqual(numbered);
  for (const [id, { code, outside }] of rows)
    expect([id, code === "", outside === ""]).toEqual([id, false, false]);
});

test("every invariant named in code, tests and scenarios is one of the list, and each is named outside the list", () => {
  const named = new Set<string>();
  for (const directory of ["src", "test", "scenarios"]) {
    for (const file of filesUnder(PACKAGE + directory)) {
      if (file.endsWith("spec.test.ts")) continue;
      for (const id of idsIn(readFileSync(file, "utf8"))) named.add(id);
    }
  }
  expect([...named].sort()).toEqual([...rows.keys()].sort());
});

test("the tests that the table names are there and name the invariant; scenarios likewise", () => {
  const scenarios = readdirSync(`${PACKAGE}scenarios`);
  for (const [id, { outside }] of rows) {
    for (const [file] of outside.matchAll(/[\w/-]+\.test\.ts/g)) {
      const path = file.startsWith("test/") ? PACKAGE + file : `${PACKAGE}src/${file}`;
      expect(existsSync(path), path).toBe(true);
    }
    for (const [, numbers = ""] of outside.matchAll(/scenarios? ([\d, ]+)/g)) {
      for (const number of numbers.match(/\d+/g) ?? []) {
        const texts = scenarios
          .filter((name) => name.startsWith(number))
          .map((name) => readFileSync(`${PACKAGE}scenarios/${name}`, "utf8"));
        expect(
          texts.some((text) => idsIn(text).has(id)),
          `${id} in scenario ${number}`,
        ).toBe(true);
      }
    }
  }
});
