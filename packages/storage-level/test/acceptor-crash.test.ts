/** A process that writes to the logs of several groups is killed with SIGKILL: what it acknowledged is there, and no write in part. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "@khonsu/testkit/simulator";
import { expect, test } from "vitest";
import { LevelAcceptorLog } from "../src/acceptor/index.ts";
import { GROUPS } from "./acceptor-child.ts";
import { runChild } from "./child.ts";

const KILLS = 25;
const SEED = process.env.KHONSU_SEED ?? "1";
const LINES_MAX = 300;

/** The last slot of each group, after a check that what is there belongs together. */
async function recoveredSlots(location: string): Promise<number[]> {
  const log = await LevelAcceptorLog.open(location);
  const slots: number[] = [];
  for (let group = 0; group < GROUPS; group++) {
    const { entries, decided, promised, trimmed, checkpoint, preface } = await log
      .group(String(group))
      .recover();
    assert.deepEqual(
      entries.map(({ slot }) => slot),
      Array.from({ length: decided - trimmed }, (_, index) => trimmed + 1 + index),
      "the slots from what is trimmed to what is decided, no more and no fewer",
    );
    assert.equal(promised.round, decided, "the promise that was written with the last slot");
    assert((checkpoint === undefined) === (preface === undefined), "a checkpoint has its image");
    assert(
      checkpoint === undefined || checkpoint.slot === trimmed + 5,
      "the checkpoint that was written with the trim",
    );
    slots.push(decided);
  }
  await log.close();
  return slots;
}

test(`${KILLS} kills lose no acknowledged write of any group (seed ${SEED})`, async () => {
  const location = await mkdtemp(join(tmpdir(), "khonsu-acceptor-crash-"));
  const random = new Prng(SEED);
  let written = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const killAt = random.integer(0, LINES_MAX);
    const { lines, signal, complaint } = await runChild("acceptor-child.ts", location, (child, count) => {
      if (count === killAt) child.kill("SIGKILL");
    });
    assert.equal(signal, "SIGKILL", `the child ended by itself: ${complaint}`);
    const found = await recoveredSlots(location);
    for (const line of lines.filter((one) => one !== "open")) {
      const [group, slot] = line.split(" ").map(Number);
      assert(
        found[group!]! >= slot!,
        `kill ${kill} at line ${killAt}: ${line} was acknowledged, ${found[group!]} is there`,
      );
    }
    written += lines.length;
  }
  expect(written).toBeGreaterThan(KILLS);
  await rm(location, { recursive: true });
});
