/** docs/spec/transactions.md against the code: every rule has its row, and what the row names is there and names the rule. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PACKAGE = `${ROOT}packages/cluster/`;
const [rules = "", enforcement = ""] = readFileSync(`${ROOT}docs/spec/transactions.md`, "utf8").split(
  "## Where each is enforced",
);
const MUTANTS = readFileSync(`${ROOT}packages/testkit/mutants/shard.ts`, "utf8");

const idsIn = (text: string): Set<string> => new Set(text.match(/\bTX-\d+\b/g) ?? []);
const rows = new Map(
  enforcement
    .split("\n")
    .filter((line) => line.startsWith("| TX-"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, id = "", code = "", outside = "", mutants = ""]) => [id, { code, outside, mutants }]),
);

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|txt)$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

test("every rule has a row that says what enforces it, and every row a rule", () => {
  const numbered = rules.match(/^\| (TX-\d+)/gm)?.map((line) => line.slice(2)) ?? [];
  expect(numbered).toEqual(Array.from({ length: 33 }, (_, i) => `TX-${i + 1}`));
  expect([...rows.keys()]).toEqual(numbered);
  for (const [id, { code, outside }] of rows)
    expect([id, code === "", outside === ""]).toEqual([id, false, false]);
});

test("every rule named in code, tests and scenarios is one of the list", () => {
  for (const directory of ["src", "test", "scenarios"]) {
    for (const file of filesUnder(PACKAGE + directory)) {
      for (const id of idsIn(readFileSync(file, "utf8"))) expect(rows.has(id), `${id} in ${file}`).toBe(true);
    }
  }
});

test("the files that a row names are there", () => {
  for (const [id, { code, outside }] of rows) {
    for (const [, name] of `${code} ${outside}`.matchAll(/`((?:2pc\/)?[\w/-]+\.ts)`/g)) {
      const path = name!.startsWith("2pc/")
        ? `${ROOT}packages/2pc/src/${name!.slice(4)}`
        : `${PACKAGE}src/${name}`;
      const isThere = existsSync(path) || existsSync(`${PACKAGE}${name}`);
      expect(isThere, `${id}: ${name}`).toBe(true);
    }
  }
});

test("the scenarios that a row names are there and name the rule", () => {
  const own = readdirSync(`${PACKAGE}scenarios`);
  for (const [id, { outside }] of rows) {
    for (const [, number] of outside.matchAll(/scenario (\d+|`tx-\d+`)/g)) {
      const texts = own
        .filter((name) => name.startsWith(number!.replaceAll("`", "")))
        .map((name) => readFileSync(`${PACKAGE}scenarios/${name}`, "utf8"));
      expect(
        texts.some((text) => idsIn(text).has(id)),
        `${id} in scenario ${number}`,
      ).toBe(true);
    }
    for (const [, name] of outside.matchAll(/2pc `([\w-]+)`/g)) {
      expect(existsSync(`${ROOT}packages/2pc/scenarios/${name}`), `${id}: ${name}`).toBe(true);
    }
  }
});

/** Scenario files of shards and of two-phase commit by the rules that they name, and tests that are called after one. */
test("every rule has a scenario", () => {
  const files = [
    ...readdirSync(`${PACKAGE}scenarios`).map((name) => `${PACKAGE}scenarios/${name}`),
    ...filesUnder(`${PACKAGE}src`).filter((name) => name.endsWith(".test.ts")),
    `${ROOT}packages/testkit/src/simulator/cluster/rules.test.ts`,
  ];
  const covered = new Set(files.flatMap((name) => [...idsIn(readFileSync(name, "utf8"))]));
  const without = [...rows].filter(([id, { outside }]) => !covered.has(id) && !/2pc `[\w-]+`/.test(outside));
  expect(without.map(([id]) => id)).toEqual([]);
});

test("the mutants of a row are those that are named after the rule", () => {
  const named = [...MUTANTS.matchAll(/name: "(tx-(\d+)-[\w-]+)"/g)].map(([, name, number]) => [
    `TX-${number}`,
    name!,
  ]);
  for (const [id, { mutants }] of rows) {
    const listed = [...mutants.matchAll(/`(tx-[\w-]+)`/g)].map(([, name]) => name);
    expect([id, listed]).toEqual([id, named.filter(([rule]) => rule === id).map(([, name]) => name)]);
  }
});
