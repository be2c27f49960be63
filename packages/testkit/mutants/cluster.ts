// The rules of docs/spec/transactions.md that the product's own code keeps, dropped one at a time under the whole runtime: `pnpm mutants
// cluster` shows which of them the simulation of a cluster notices. The model of `pnpm mutants shard`, which runs many more and much
// smaller histories, notices each; what clients must do is dropped there from the model's own clients.

import type { MutantSuite } from "../src/mutants/mutant.ts";
import { shardMutants } from "./shard.ts";

const ofProduct = (file: string) => /^packages\/[^/]+\/src\//.test(file);

/** What a rule calls for besides many clients at few keys under the strictest level. */
const PROFILES: readonly (readonly [prefix: string, profile: string])[] = [
  ["tx-3-", "floors"],
  ["tx-6-", "snapshot"],
  ["tx-10-", "floors"],
  ["tx-16-", "floors"],
  ["tx-17-", "floors"],
  ["tx-18-below-floor", "floors"],
];

export const clusterMutants: MutantSuite = {
  packages: ["cluster", "2pc", "core", "hash-ring", "paxos", "testkit"],
  trial: {
    kind: "simulator",
    target: "cluster",
    profile: "contended",
    seedsMax: 400,
    minutesMax: 2,
  },
  mutants: shardMutants.mutants
    .filter(({ also = [], file }) => [file, ...also.map((other) => other.file)].every(ofProduct))
    .map((mutant) => {
      const profile = PROFILES.find(([prefix]) => mutant.name.startsWith(prefix))?.[1];
      return profile === undefined ? mutant : { ...mutant, profile };
    }),
};
