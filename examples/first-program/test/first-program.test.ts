import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { firstProgram } from "../src/first-program.ts";

test("what is read in a new transaction, and after a reopen, is what was written", async () => {
  const directory = mkdtempSync(join(tmpdir(), "khonsu-first-program-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const { written, read, reopened } = await firstProgram(directory);
  expect(written).toEqual([
    { id: 1, value: 0.5 },
    { id: 2, value: 1.5 },
    { id: 3, value: 2.5 },
  ]);
  expect(read).toEqual(written);
  expect(reopened).toEqual(written);
});
