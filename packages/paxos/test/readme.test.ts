import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { expect, test, vi } from "vitest";

test("the example of the README runs as it stands: three replicas decide and read", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const source = (name: string) => new URL(`../src/${name}`, import.meta.url).href;
  const example = stripTypeScriptTypes(/```ts\n(.*?)```/s.exec(readme)![1]!)
    .replace("@khonsu/paxos/testing", source("testing/index.ts"))
    .replace("@khonsu/paxos", source("index.ts"));
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  // Time goes by only here, however busy the machine is.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    let isDone = false;
    const run = import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(example)}`).finally(
      () => {
        isDone = true;
      },
    );
    while (!isDone) {
      await vi.advanceTimersByTimeAsync(1);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await run;
    expect(log.mock.calls).toEqual([[5]]);
  } finally {
    vi.useRealTimers();
    log.mockRestore();
  }
});
