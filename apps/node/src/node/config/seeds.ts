/** The other nodes that a configuration names, and where they are. */
import type { NodeConfig } from "./schema.ts";

export function seedsOf({ found = [], join = [], node }: NodeConfig): ReadonlyMap<number, string> {
  const founders = found.map((founder) => [founder.node, founder.address] as const);
  const members = join.map((text) => {
    const at = text.indexOf("@");
    return [Number(text.slice(0, at)), text.slice(at + 1)] as const;
  });
  return new Map([...founders, ...members].filter(([other]) => other !== node));
}
