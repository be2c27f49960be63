/** `pnpm mutants`: for each mutant, a copy of the source with the edit in it; the exploration of that copy must fail. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MUTANTS, type Mutant } from "./mutants.ts";

const PACKAGE = new URL("../../", import.meta.url);
const STATES_MAX = 400_000;

/** What the exploration finds wrong with the mutant, or undefined. */
async function caught(mutant: Mutant): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), "khonsu-mutant-"));
  try {
    writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
    cpSync(new URL("src", PACKAGE), join(directory, "src"), { recursive: true });
    cpSync(new URL("test/explore", PACKAGE), join(directory, "test/explore"), { recursive: true });
    edit(join(directory, "src", mutant.file), mutant);
    return await violation(join(directory, "test/explore"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function edit(path: string, { find, replace, description }: Mutant): void {
  const source = readFileSync(path, "utf8");
  if (source.split(find).length !== 2)
    throw new Error(`"${description}": the text to find must occur exactly once`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
}

async function violation(directory: string): Promise<string | undefined> {
  const load = (file: string) => import(pathToFileURL(join(directory, file)).href);
  const { SMALL }: typeof import("../explore/configurations.ts") = await load("configurations.ts");
  const { explore }: typeof import("../explore/explorer.ts") = await load("explorer.ts");
  const { World }: typeof import("../explore/world.ts") = await load("world.ts");
  for (const [name, configuration] of Object.entries(SMALL)) {
    const { violation: found, states } = explore(new World(configuration), STATES_MAX);
    if (found !== undefined)
      return `${found.message} (${name}, ${found.schedule.length} steps, ${states} states)`;
  }
  return undefined;
}

let survivors = 0;
for (const mutant of MUTANTS) {
  const message = await caught(mutant);
  if (message === undefined) survivors += 1;
  console.log(`${message === undefined ? "SURVIVED" : "caught"}  ${mutant.rule} ${mutant.description}`);
  if (message !== undefined) console.log(`        ${message}`);
}
console.log(`\n${MUTANTS.length - survivors} of ${MUTANTS.length} mutants were caught`);
process.exitCode = survivors === 0 ? 0 : 1;
