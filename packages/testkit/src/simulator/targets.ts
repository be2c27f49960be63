// The systems that the simulator can run, by name. A target is loaded when it is asked for, so that one that does not build stands in
// nobody else's way. To add one: implement `Target` and give it a line here.

import type { Plan, Target } from "./target.ts";

const loaders: Readonly<Record<string, () => Promise<Target<unknown>>>> = {
  cluster: async () => erase((await import("./cluster/target.ts")).clusterTarget),
  core: async () => erase((await import("./core/target.ts")).coreTarget),
  paxos: async () => erase((await import("./paxos/target.ts")).paxosTarget),
};

export const targetNames: readonly string[] = Object.keys(loaders);

export async function loadTarget(name: string): Promise<Target<unknown>> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (load === undefined)
    throw new RangeError(`Cannot simulate ${name}: the targets are ${targetNames.join(", ")}`);
  return load();
}

/** The runner only hands a target's own parts back to it, so it need not know their type. */
function erase<Part, P extends Plan<Part>>(target: Target<Part, P>): Target<unknown> {
  return target as unknown as Target<unknown>;
}
