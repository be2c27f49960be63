/** The suite passes the obvious log, and finds out logs that are wrong in one way each. */
import { describe, expect, test } from "vitest";
import { consensusSuite } from "./index.ts";
import { FAULTS, type Fault, MemoryGroup } from "./memory-group.ts";

for (const size of [1, 3]) {
  describe(`a log in memory with ${size} replicas`, () =>
    consensusSuite({ test, factory: () => new MemoryGroup(size) }));
}

/** The first case of the suite that the group fails. */
async function firstFailure(fault: Fault | undefined): Promise<string | undefined> {
  const cases: { name: string; body: () => Promise<void> }[] = [];
  consensusSuite({
    test: (name, body) => cases.push({ name, body }),
    factory: () => new MemoryGroup(3, fault),
  });
  for (const { name, body } of cases) {
    const passed = await body().then(
      () => true,
      () => false,
    );
    if (!passed) return name;
  }
  return undefined;
}

test.each(FAULTS)("a log that %s is found out", async (fault) => {
  expect(await firstFailure(fault)).toBeDefined();
});
