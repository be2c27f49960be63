// The suites of mutants, by name. To add one: a file under `packages/testkit/mutants/`, and a line here.

import type { MutantSuite } from "./mutant.ts";

const loaders: Readonly<Record<string, () => Promise<MutantSuite>>> = {
  cluster: async () => (await import("../../mutants/cluster.ts")).clusterMutants,
  core: async () => (await import("../../mutants/core.ts")).coreMutants,
  paxos: async () => (await import("../../mutants/paxos.ts")).paxosMutants,
  shard: async () => (await import("../../mutants/shard.ts")).shardMutants,
};

export const suiteNames: readonly string[] = Object.keys(loaders);

export async function loadSuite(name: string): Promise<MutantSuite> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (load === undefined)
    throw new RangeError(`Cannot find the mutants of ${name}: there are ${suiteNames.join(", ")}`);
  return load();
}
