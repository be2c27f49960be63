/**
 * A process that acknowledges commits is killed with SIGKILL, at a moment that a seed picks, and its store opened again: every
 * acknowledged step is there, no transaction in part, all in order (hard cases 34 and 38). KHONSU_KILLS sets how often,
 * KHONSU_SEED the seed.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "@khonsu/testkit/simulator";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acknowledged, auditAt, runChild } from "./child.ts";
import { WORKERS } from "./ledger.ts";

const KILLS = Number(process.env.KHONSU_KILLS ?? 200);
const SEED = process.env.KHONSU_SEED ?? "1";
/** Children that run side by side. */
const LANES = 2;
/** A directory is killed in so often before the next is begun. */
const KILLS_PER_DIRECTORY = 20;
/** A child is killed after at most so many lines, that is acknowledged steps. */
const LINES_MAX = 150;

const NO_STEPS: readonly number[] = new Array<number>(WORKERS).fill(0);

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "khonsu-crash-"));
});
afterEach(async () => rm(root, { recursive: true }));

/** Kills children in one directory after another. How many steps were acknowledged. */
async function lane(name: string, kills: number, random: Prng): Promise<number> {
  let total = 0;
  let steps = NO_STEPS;
  for (let kill = 0; kill < kills; kill++) {
    const location = join(root, name, String(Math.floor(kill / KILLS_PER_DIRECTORY)));
    if (kill % KILLS_PER_DIRECTORY === 0) steps = NO_STEPS;
    const killAt = random.integer(0, LINES_MAX);
    const { lines, signal, complaint } = await runChild("crash-child.ts", location, (child, count) => {
      if (count === killAt) child.kill("SIGKILL");
    });
    assert.equal(signal, "SIGKILL", `the child ended by itself: ${complaint}`);
    const promised = acknowledged(lines, steps);
    const found = await auditAt(location);
    const context = `lane ${name}, kill ${kill} at line ${killAt}: promised ${promised}, found ${found}`;
    for (const [worker, step] of promised.entries()) assert(found[worker]! >= step, context);
    total += lines.length;
    steps = found;
  }
  return total;
}

test(`${KILLS} kills lose no acknowledged commit and leave none in part (seed ${SEED})`, {
  timeout: 900_000,
}, async () => {
  const random = new Prng(SEED);
  const names = Array.from({ length: LANES }, (_, index) => String(index));
  const lanes = names.map((name) => lane(name, Math.ceil(KILLS / LANES), random.split(name)));
  const total = (await Promise.all(lanes)).reduce((sum, lines) => sum + lines, 0);
  expect(total).toBeGreaterThan(KILLS);
});

test.each([8, 64, 200])(
  "a file that cannot grow beyond %i blocks stops the store with an error, and loses nothing",
  async (blocks) => {
    const location = join(root, "full");
    const ended = await runChild("crash-child.ts", location, () => {}, blocks);
    expect(ended).toMatchObject({ signal: null, code: 1 });
    expect(ended.complaint).toContain("KHONSU_STORAGE_FAILED");
    const promised = acknowledged(ended.lines, NO_STEPS);
    const found = await auditAt(location);
    for (const [worker, step] of promised.entries()) expect(found[worker]).toBeGreaterThanOrEqual(step);
  },
);
