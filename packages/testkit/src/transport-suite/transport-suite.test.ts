/** The suite passes the obvious transport, and finds out transports that are wrong in one way each. */
import { describe, expect, test } from "vitest";
import { transportSuite } from "./index.ts";
import { FAULTS, type Fault, MemoryNetwork } from "./memory-network.ts";

describe("a network in memory", () => transportSuite({ test, factory: () => new MemoryNetwork() }));

/** How long a case may hang before that counts as a failure; those that pass take some milliseconds. */
const PATIENCE_MS = 2000;

/** The first case of the suite that the network fails, or hangs in. */
async function firstFailure(fault: Fault): Promise<string | undefined> {
  const cases: { name: string; body: () => Promise<void> }[] = [];
  transportSuite({
    test: (name, body) => cases.push({ name, body }),
    factory: () => new MemoryNetwork(fault),
  });
  for (const { name, body } of cases) {
    const passed = body().then(
      () => true,
      () => false,
    );
    const hangs = new Promise<boolean>((resolve) => setTimeout(resolve, PATIENCE_MS, false));
    if (!(await Promise.race([passed, hangs]))) return name;
  }
  return undefined;
}

test.each(FAULTS)("a network that %s is found out", async (fault) => {
  expect(await firstFailure(fault)).toBeDefined();
});
