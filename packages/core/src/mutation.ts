/** What a committed transaction tells its storage: rows that were only added go out alone. */
import type { Entry } from "./conflict-resolution.ts";
import type { Mutation } from "./storage.ts";
import { chunksAddedTo, chunksOf } from "./table/stored-value.ts";

export function mutationsOf(entries: readonly Entry[]): Mutation[] {
  const mutations: Mutation[] = [];
  for (const entry of entries) {
    const mutation = mutationOf(entry);
    if (mutation !== undefined) mutations.push(mutation);
  }
  return mutations;
}

function mutationOf({ key, base, result, isDropped, isDerived }: Entry): Mutation | undefined {
  if (isDropped) return undefined;
  if (result === undefined) return { kind: "delete", key };
  const added = base === undefined || !isDerived ? undefined : chunksAddedTo(base, result);
  if (added === undefined) return { kind: "put", key, chunks: chunksOf(result) };
  return { kind: "append", key, chunks: added };
}
