/** `pnpm explore [world…]`: explores the worlds named, or all, large ones included; exits with 1 if something is wrong in one. */
import { LARGE, SMALL } from "./configurations.ts";
import { explore } from "./explorer.ts";
import { World } from "./world.ts";

const STATES_MAX = 3_000_000;

const worlds = { ...SMALL, ...LARGE };
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(worlds);
for (const name of names) {
  const configuration = worlds[name];
  if (configuration === undefined)
    throw new RangeError(`There is no world "${name}": ${Object.keys(worlds).join(", ")}`);
  const { states, steps, violation } = explore(new World(configuration), STATES_MAX);
  console.log(`${name}: ${states} states, ${steps} steps, ${violation?.message ?? "all right"}`);
  if (violation === undefined) continue;
  for (const label of violation.schedule) console.log(`  ${label}`);
  process.exitCode = 1;
}
