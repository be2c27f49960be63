/**
 * Tells whether an implementation of `Transport` is right: answers belong to their questions, whoever cannot be reached is told so,
 * and neither large nor late messages harm others. Run it with any test runner:
 *
 *     transportSuite({ test, factory: () => new MyNetwork() });
 */
import { FAILURE_CASES } from "./failure-cases.ts";
import type { TransportNetwork, TransportSuiteOptions } from "./harness.ts";
import { QUESTION_CASES } from "./question-cases.ts";

export type Case = (network: TransportNetwork, largestBytes: number) => Promise<void>;
export type Cases = Readonly<Record<string, Case>>;

const LARGEST_BYTES = 2 ** 21;

/** Registers all cases with `options.test`. */
export function transportSuite({ test, factory, largestBytes = LARGEST_BYTES }: TransportSuiteOptions): void {
  for (const [name, body] of Object.entries({ ...QUESTION_CASES, ...FAILURE_CASES })) {
    test(name, async () => {
      const network = await factory();
      try {
        const running = body(network, largestBytes);
        await (network.run === undefined ? running : network.run(running));
      } finally {
        await network.dispose?.();
      }
    });
  }
}
