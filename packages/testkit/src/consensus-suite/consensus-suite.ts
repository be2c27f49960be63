/**
 * Tells whether an implementation of `Consensus` is right: one order everywhere, nothing acknowledged is lost, barriers, checkpoints.
 * Run it with any test runner; groups of three or more replicas get cases of their own.
 *
 *     consensusSuite({ test, factory: () => new MyGroup() });
 */
import { CRASH_CASES, MINORITY_CASES } from "./crash-cases.ts";
import type { ConsensusGroup, ConsensusSuiteOptions } from "./harness.ts";
import { CHECKPOINT_CASES, ORDER_CASES } from "./order-cases.ts";
import { Replicas } from "./replicas.ts";

export type Case = (replicas: Replicas) => Promise<void>;
export type Cases = Readonly<Record<string, Case>>;

/** Registers all cases that the implementation supports with `options.test`. */
export function consensusSuite({ test, factory, supports = {} }: ConsensusSuiteOptions): void {
  const withCheckpoints = supports.checkpoints === false ? {} : CHECKPOINT_CASES;
  const cases = { ...ORDER_CASES, ...CRASH_CASES, ...withCheckpoints };
  for (const [name, body] of Object.entries(cases)) test(name, () => runOn(factory, body));
  for (const [name, body] of Object.entries(MINORITY_CASES)) {
    test(name, () =>
      runOn(factory, async (replicas) => void (replicas.ids.length >= 3 && (await body(replicas)))),
    );
  }
}

async function runOn(factory: ConsensusSuiteOptions["factory"], body: Case): Promise<void> {
  const group: ConsensusGroup = await factory();
  try {
    const replicas = new Replicas(group);
    const running = Promise.race([replicas.openAll().then(() => body(replicas)), replicas.harmed]);
    await (group.run === undefined ? running : group.run(running));
  } finally {
    await group.dispose?.();
  }
}
