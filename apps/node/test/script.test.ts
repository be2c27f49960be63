/** What is said about a script that is not understood. */
import { expect, test } from "vitest";
import { parseScript } from "../src/client/script/read-script.ts";

test.each([
  ["fetch a", 'line 1: "fetch" is no operation'],
  ["\nget", "line 2: expected a key"],
  ["get a b", 'line 1: "b" is too much behind the key'],
  ["put a", "line 1: expected rows as JSON, or @FILE"],
  ['put a {"n": }', "line 1: expected rows as JSON, or @FILE"],
  ["put a 1", "line 1: rows are JSON objects"],
  ["put a {}", "line 1: rows without columns need a schema"],
  ["put a @none.csv", "line 1: Cannot read"],
  ["schema n", 'line 1: Cannot use the schema "n"'],
  ['schema n: int8\nput a {"n": 1000}', 'line 2: column "n": 1000 is not from -128 to 127'],
  ['schema n: int8\nput a {"m": 1}', 'line 2: there is a column "m" that the schema does not have'],
  ["expect a version x", 'line 1: "version x" is none of absent, exists'],
  ['get ""', "line 1: Cannot use the key: it is empty"],
  ['get "\\x"', "line 1:"],
])("%j is refused with its line", async (script, reason) => {
  await expect(parseScript(script, "a script", "/")).rejects.toMatchObject({
    code: "KHONSU_SCRIPT_INVALID",
    message: expect.stringContaining(reason),
  });
});

test("keys in quotation marks, comments and blank lines", async () => {
  const script = await parseScript('\n# x\n  get "a b"\r\ndelete "\\u00e9"\n', "a script", "/");
  expect(script).toEqual([
    { line: 3, verb: "get", key: "a b" },
    { line: 4, verb: "delete", key: "é" },
  ]);
});
