import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel as Level } from "classic-level";
import fc from "fast-check";
import { expect, test } from "vitest";
import { damageInLog } from "./log-check.ts";

/** The log that LevelDB writes for values of these lengths, and where it was after each of them. */
async function logOf(lengths: readonly number[]): Promise<{ bytes: Buffer; ends: number[] }> {
  const location = await mkdtemp(join(tmpdir(), "khonsu-log-"));
  const level = new Level<string, Uint8Array>(location, { valueEncoding: "view" });
  await level.open();
  const ends: number[] = [];
  const read = async () => {
    const log = (await readdir(location)).find((file) => file.endsWith(".log"))!;
    return readFile(join(location, log));
  };
  for (const [index, length] of lengths.entries()) {
    await level.put(`key ${index}`, new Uint8Array(length).fill(index + 1), { sync: true } as object);
    ends.push((await read()).byteLength);
  }
  const bytes = await read();
  await level.close();
  await rm(location, { recursive: true });
  return { bytes, ends };
}

/** Records within a block, over several blocks, and ending just before a block's end. */
const LENGTHS = [10, 100, 40_000, 0, 100_000, 20_000, 5, 7];

test("a log as LevelDB writes it is not damaged, nor is it when it is cut off anywhere", async () => {
  const { bytes } = await logOf(LENGTHS);
  expect(damageInLog(bytes)).toBeUndefined();
  fc.assert(
    fc.property(fc.nat(bytes.byteLength), (length) => {
      expect(damageInLog(bytes.subarray(0, length))).toBeUndefined();
    }),
  );
});

test("a change of any byte before the last record is damage, of one in the last record a torn end", async () => {
  const { bytes, ends } = await logOf(LENGTHS);
  const lastBegins = ends.at(-2)!;
  fc.assert(
    fc.property(fc.nat(bytes.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(bytes);
      changed[at]! ^= change;
      if (at >= lastBegins) expect(damageInLog(changed)).toBeUndefined();
      else expect(damageInLog(changed) ?? bytes.byteLength).toBeLessThanOrEqual(at);
    }),
    { numRuns: 500 },
  );
});
