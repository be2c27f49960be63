import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("the example of a shard alone runs as it stands", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const { href } = new URL("../src/index.ts", import.meta.url);
  const example = /```js\n(import .*?)```/s.exec(readme)![1]!.replace("@khonsu/cluster", href);
  const end = "\nexport { hash, read, status };";
  const run = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(example + end)}`);
  expect(run.status).toEqual({ kind: "committed", value: { timestamp: 1, ignored: [] } });
  expect(run.read).toMatchObject({ kind: "read", at: 1, entries: [{ key: "greeting", version: 1 }] });
  expect(run.hash).toBe(HASH);
});

/** Of the state in the example. It changes with the format of what is hashed, and with nothing else. */
const HASH = 3_381_257_696;
