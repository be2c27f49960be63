/** For each mutant a copy of the source with the edit in it; the exploration of that copy must find something wrong. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MUTANTS, type Mutant } from "./mutants.ts";

const PACKAGE = new URL("../../", import.meta.url);

/** The worlds in which the product as it stands is shown to be right are those of `explore.test.ts`. */
function explored({ world }: Mutant, edit: (directory: string) => void) {
  const directory = mkdtempSync(join(tmpdir(), "khonsu-mutant-"));
  try {
    writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
    for (const part of ["src", "test/explore"]) {
      cpSync(new URL(part, PACKAGE), join(directory, part), { recursive: true });
    }
    edit(directory);
    return spawnSync(process.execPath, [join(directory, "test/explore/main.ts"), world], {
      encoding: "utf8",
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test.each(MUTANTS.map((mutant) => [mutant.rule, mutant.description, mutant] as const))(
  "%s is seen to be missing if %s",
  (_rule, _description, mutant) => {
    const { status, stdout, stderr } = explored(mutant, (directory) => {
      const path = join(directory, "src", mutant.file);
      const source = readFileSync(path, "utf8");
      expect(source.split(mutant.find)).toHaveLength(2);
      writeFileSync(
        path,
        source.replace(mutant.find, () => mutant.replace),
      );
    });
    expect(`${stdout}${stderr}`).toMatch(/states, \d+ steps, (TP-\d+:|the next step throws)/);
    expect(status).toBe(1);
  },
  120_000,
);
