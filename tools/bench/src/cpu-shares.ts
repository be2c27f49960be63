/** Where the processor's time goes while something runs: samples of V8's profiler, divided among parts by where a function stands. */
import { type Profiler, Session } from "node:inspector/promises";

/** Names the part that a function belongs to; undefined counts it to its caller. */
export type PartOf = (url: string, functionName: string) => string | undefined;

/** @returns each part's share of the samples, from 0 to 1, the largest first; without samples in which nothing ran. */
export async function cpuShares(run: () => Promise<void>, partOf: PartOf): Promise<Map<string, number>> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: 100 });
    await session.post("Profiler.start");
    await run();
    const { profile } = await session.post("Profiler.stop");
    return sharesOf(profile, partOf);
  } finally {
    session.disconnect();
  }
}

export function sharesOf(profile: Profiler.Profile, partOf: PartOf): Map<string, number> {
  const parts = partsOf(profile, partOf);
  const counts = new Map<string, number>();
  let total = 0;
  for (const sample of profile.samples ?? []) {
    const part = parts.get(sample) ?? "other";
    if (part === "idle") continue;
    total++;
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  const shares = [...counts].map(([part, count]): [string, number] => [part, count / total]);
  return new Map(shares.sort((a, b) => b[1] - a[1]));
}

function partsOf({ nodes }: Profiler.Profile, partOf: PartOf): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, string>();
  const visit = (id: number, caller: string) => {
    const { callFrame, children } = byId.get(id)!;
    const part = builtIn(callFrame.functionName) ?? partOf(callFrame.url, callFrame.functionName) ?? caller;
    parts.set(id, part);
    for (const child of children ?? []) visit(child, part);
  };
  const root = nodes[0];
  if (root !== undefined) visit(root.id, "other");
  return parts;
}

function builtIn(functionName: string): string | undefined {
  if (functionName === "(garbage collector)") return "garbage collector";
  if (functionName === "(idle)") return "idle";
  return undefined;
}
