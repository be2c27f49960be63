import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

test("the example of the README runs as it stands, and moves replicas to the node that joins", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)![1]!;
  const source = example.replace("@khonsu/hash-ring", new URL("../src/index.ts", import.meta.url).href);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`);
  expect(log.mock.calls.some(([line]) => /^shard \d+: add node 4$/.test(line))).toBe(true);
  log.mockRestore();
});
