import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decisionLogSuite } from "@khonsu/2pc/testing";
import { expect, test } from "vitest";
import { FileDecisionLog } from "../src/file-decision-log.ts";

decisionLogSuite({
  test,
  factory: async () => {
    const directory = await mkdtemp(join(tmpdir(), "decision-log-"));
    const path = join(directory, "log");
    return {
      open: () => FileDecisionLog.open(path),
      // What is in the file is what a crash leaves: every append waits for fsync.
      crash: async () => {},
      tear: async (bytes) => truncate(path, (await stat(path)).size - bytes),
      dispose: () => rm(directory, { recursive: true }),
    };
  },
  supports: { crash: true, tear: true },
});

test("a damaged line in the middle is found, and not cut off", async () => {
  const directory = await mkdtemp(join(tmpdir(), "decision-log-"));
  const path = join(directory, "log");
  const log = await FileDecisionLog.open(path);
  await log.append([{ a: 1 }, { a: 2 }]);
  await log.close();
  await writeFile(path, (await readFile(path, "utf8")).replace('"a":1', '"a":7'));
  const damaged = await FileDecisionLog.open(path);
  await expect(damaged.read()).rejects.toThrow("damaged");
  await damaged.close();
  await rm(directory, { recursive: true });
});

test("half a line at the end is cut off when the log is opened", async () => {
  const directory = await mkdtemp(join(tmpdir(), "decision-log-"));
  const path = join(directory, "log");
  await appendFile(path, '0123abcd {"a"');
  const log = await FileDecisionLog.open(path);
  expect(await log.read()).toEqual([]);
  await log.close();
  await rm(directory, { recursive: true });
});
