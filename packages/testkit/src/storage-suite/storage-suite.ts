/**
 * Tells whether an implementation of `Storage` is right. Each case writes commits, opens the medium anew, and compares what is
 * loaded with the obvious model. Run it with any test runner:
 *
 *     storageSuite({ test, factory: () => new MyMedium() });
 */
import { crashCases } from "./crash-cases.ts";
import type { StorageSuiteOptions } from "./harness.ts";
import { historyCases } from "./history-cases.ts";
import { lifeCycleCases } from "./life-cycle-cases.ts";
import { valueCases } from "./value-cases.ts";

/** Registers all cases that the implementation supports with `options.test`. */
export function storageSuite(options: StorageSuiteOptions): void {
  const { load = true, crash = true } = options.supports ?? {};
  lifeCycleCases(options, load);
  if (load) valueCases(options);
  if (load) historyCases(options);
  if (load && crash) crashCases(options);
}
