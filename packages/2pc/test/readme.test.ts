import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

test("the example of the README runs as it stands and commits", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const source = (name: string) => new URL(`../src/${name}`, import.meta.url).href;
  const example = /```ts\n(.*?)```/s
    .exec(readme)![1]!
    .replace("@khonsu/2pc/testing", source("testing/index.ts"))
    .replace("@khonsu/2pc", source("index.ts"));
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const end = "\nexport const balances = accounts.map(({ balance }) => balance);";
  const run = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(example + end)}`);
  expect(log.mock.calls).toEqual([["committed"]]);
  expect(run.balances).toEqual([70, 130]);
  log.mockRestore();
});
