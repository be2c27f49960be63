/** docs/operations.md lists every setting with its default, and every metric there is. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SETTINGS } from "../src/node/config/overrides.ts";
import { NodeMetrics } from "../src/node/node-metrics.ts";

const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");

test("every setting is in the table, and nothing else is", () => {
  const listed = [...page.matchAll(/^\| `([a-zA-Z.]+)` +\|/gm)].map(([, setting]) => setting!);
  const settings = listed.filter((name) => SETTINGS.has(name) || name === "found");
  expect(new Set(settings)).toEqual(new Set([...SETTINGS.keys(), "found"]));
});

test("every metric of Khonsu is in the table", async () => {
  const metrics = new NodeMetrics(
    1,
    () => {
      throw new Error("not asked here");
    },
    false,
  );
  const names = metrics.names().map((name) => name.replace(/^khonsu_shard(_[a-z_]+)$/, (_, rest) => rest));
  for (const name of names) expect(page).toContain(`\`${name}`);
});
