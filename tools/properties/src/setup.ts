/**
 * Runs before every test file of the repository and gives its properties their seed (see seed.ts). Where vitest repeats a test (`--repeats`,
 * by `pnpm properties --times`), each repetition has a seed of its own, and a test without a property is not repeated. A test that fails says
 * how to run it again.
 */
import { randomInt } from "node:crypto";
import fc from "fast-check";
import { beforeEach } from "vitest";
import { derivedSeed, seedFrom } from "./seed.ts";

const base = seedFrom(process.env.KHONSU_SEED, () => randomInt(2 ** 31 - 1));
// Tests with generators of their own read it there.
process.env.KHONSU_SEED = String(base);
/** After this moment, in milliseconds of the system clock, no further test begins. */
const until = Number(process.env.KHONSU_PROPERTIES_UNTIL ?? Number.POSITIVE_INFINITY);

const attempts = new Map<string, number>();
/** The tests in which a property asked for its seed. */
const withProperty = new Set<string>();

beforeEach((context) => {
  const { id, result } = context.task;
  const attempt = attempts.get(id) ?? 0;
  attempts.set(id, attempt + 1);
  const mayEnd = result?.errors === undefined || result.errors.length === 0;
  context.skip(mayEnd && Date.now() >= until, "the time is over");
  context.skip(mayEnd && attempt > 0 && !withProperty.has(id), "no property: once is enough");
  const seed = derivedSeed(base, attempt);
  fc.configureGlobal({
    get seed() {
      withProperty.add(id);
      return seed;
    },
  });
  context.onTestFailed(() => {
    process.stderr.write(`KHONSU_SEED=${seed} runs it again: ${context.task.name}\n`);
  });
});
