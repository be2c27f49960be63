import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { paxosMutants } from "../../mutants/paxos.ts";
import { type Mutant, replaceOnce } from "./mutant.ts";
import { loadSuite, suiteNames } from "./suites.ts";
import { runTrial } from "./trial.ts";
import { WorkspaceCopy } from "./workspace-copy.ts";

const repository = join(import.meta.dirname, "..", "..", "..", "..");

/** Caught within a few seeds each, and by a different check each. */
const QUICK = ["accepted-before-durable", "promise-forgotten-on-restart", "leader-counts-itself-unflushed"];

describe("mutants", () => {
  test("a replacement applies exactly once", () => {
    expect(replaceOnce("a b c", "b", "x", "here")).toBe("a x c");
    expect(() => replaceOnce("a b c", "d", "x", "here")).toThrowError(
      "Cannot apply here: the text to replace is not there",
    );
    expect(() => replaceOnce("b b", "b", "x", "here")).toThrowError("more than once");
  });

  test.each(suiteNames)("every mutant of %s has a name of its own and still applies", async (name) => {
    const { mutants } = await loadSuite(name);
    expect(new Set(mutants.map((mutant) => mutant.name)).size).toBe(mutants.length);
    for (const mutant of mutants) {
      const texts = new Map<string, string>();
      for (const { file, search, replace } of [mutant, ...(mutant.also ?? [])]) {
        const before = texts.get(file) ?? readFileSync(join(repository, file), "utf8");
        texts.set(file, replaceOnce(before, search, replace, `${mutant.name} to ${file}`));
      }
    }
  });

  test("a command as a trial: a non-zero exit status means caught", async () => {
    const fake = mkdtempSync(join(tmpdir(), "khonsu-mutants-test-"));
    mkdirSync(join(fake, "packages", "thing"), { recursive: true });
    mkdirSync(join(fake, "node_modules"));
    for (const file of ["package.json", "tsconfig.base.json"]) writeFileSync(join(fake, file), "{}");
    writeFileSync(join(fake, "packages", "thing", "check.mjs"), "process.exitCode = 1 + 1 === 2 ? 0 : 1;");
    const trial = {
      kind: "command",
      command: [process.execPath, "packages/thing/check.mjs"],
      minutesMax: 1,
    } as const;
    const file = "packages/thing/check.mjs";
    const mutant: Mutant = {
      name: "sum",
      description: "Adds wrongly.",
      file,
      search: "1 + 1",
      replace: "1 + 2",
    };
    try {
      using copy = new WorkspaceCopy(fake, ["thing"]);
      expect(runTrial(copy.root, trial, "test").caught).toBe(false);
      expect(await copy.withMutant(mutant, () => runTrial(copy.root, trial, "test").caught)).toBe(true);
      expect(runTrial(copy.root, trial, "test").caught).toBe(false);
    } finally {
      rmSync(fake, { recursive: true });
    }
  });

  test("some quick mutants of paxos are caught, the unchanged product is not", async () => {
    using copy = new WorkspaceCopy(repository, paxosMutants.packages);
    expect(runTrial(copy.root, paxosMutants.trial, "quick", 2).caught).toBe(false);
    for (const mutant of paxosMutants.mutants.filter(({ name }) => QUICK.includes(name))) {
      const verdict = await copy.withMutant(mutant, () =>
        runTrial(copy.root, paxosMutants.trial, "quick", 60),
      );
      expect(verdict, mutant.name).toMatchObject({ caught: true });
    }
  }, 240_000);
});
