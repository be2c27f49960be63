/** Every link from one document of the repository to another leads somewhere. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { testPath } from "./run-khonsu.ts";

const root = testPath("../../..");
const documents = globSync("{*.md,docs/**/*.md,{packages,apps,tools}/*/README.md,examples/**/README.md}", {
  cwd: root,
  exclude: (name) => name.includes("node_modules"),
});

test.each(documents.toSorted())("the links of %s", (document) => {
  const text = readFileSync(join(root, document), "utf8");
  const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target = ""]) => target);
  const relative = targets.filter((target) => !/^[a-z]+:/.test(target));
  const broken = relative.filter((target) => !existsSync(join(root, dirname(document), target)));
  expect(broken).toEqual([]);
});
