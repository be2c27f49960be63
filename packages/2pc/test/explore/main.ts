/** `pnpm explore`: explores the large worlds as well, and says how many states each has. */
import { LARGE, SMALL } from "./configurations.ts";
import { explore } from "./explorer.ts";
import { World } from "./world.ts";

const STATES_MAX = 3_000_000;

for (const [name, configuration] of Object.entries({ ...SMALL, ...LARGE })) {
  const { states, steps, violation } = explore(new World(configuration), STATES_MAX);
  console.log(
    `${name}: ${states} states, ${steps} steps, ${violation === undefined ? "all right" : violation.message}`,
  );
  if (violation === undefined) continue;
  for (const label of violation.schedule) console.log(`  ${label}`);
  process.exitCode = 1;
}
