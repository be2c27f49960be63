/** What the command line says about itself, and about arguments that are wrong. */
import { expect, test } from "vitest";
import { runKhonsu } from "./run-khonsu.ts";

test("--help lists the commands, and the options of a command with their defaults", async () => {
  const program = await runKhonsu("--help");
  expect(program).toMatchObject({ status: 0, stderr: "" });
  expect(program.stdout).toContain("demo [options]");
  const demo = await runKhonsu("demo", "--help");
  expect(demo.status).toBe(0);
  for (const option of [
    "--embedded",
    "--dir",
    "--workers",
    "--seconds",
    "--rows",
    "--seed",
    "--storage",
    "--json",
  ]) {
    expect(demo.stdout).toContain(option);
  }
  expect(demo.stdout).toContain("(default: 200000)");
});

test.each([
  [["demo", "--workers", "0"], "Expected a whole number from 1 to 1024."],
  [["demo", "--workers", "many"], "Expected a whole number from 1 to 1024."],
  [["demo", "--rows", "200001"], "Expected a whole number from 1000 to 200000."],
  [["demo", "--seconds", "0"], "Expected a number of seconds up to 3600."],
  [["demo", "--speed"], "unknown option '--speed'"],
  [["demo", "again"], "too many arguments"],
  [["dmeo"], "Did you mean demo?"],
])("%j is refused with a reason, and status 2", async (args, reason) => {
  const { status, stdout, stderr } = await runKhonsu(...args);
  expect(stderr).toContain(reason);
  expect(stdout).toBe("");
  expect(status).toBe(2);
});

test("a storage module that is not there is named", async () => {
  const { status, stderr } = await runKhonsu("demo", "--embedded", "--storage", "./no-such-storage.ts");
  expect(stderr).toContain("khonsu: Cannot load the storage module ./no-such-storage.ts");
  expect(status).toBe(1);
});
