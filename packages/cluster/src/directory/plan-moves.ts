/**
 * Which moves to begin, from what the directory says and where replicas should be; it depends on nothing else. Lost replicas come first. Where
 * another node is to take the place of one, that one comes before the lost one goes, so that the group has as many sound voters as it can have at
 * each step; a node that comes back with an empty disk can only take its own place once that is free.
 */
import type { DirectoryCommand } from "./command.ts";
import { type DirectoryState, type GroupRecord, isSound } from "./state.ts";

type BeginMove = Extract<DirectoryCommand, { kind: "beginMove" }>;

/**
 * @param target the nodes that should have a replica, by group.
 * @param down nodes to which a move waits already: no other is begun to one of them.
 * @returns at most one for each group at rest.
 */
export function plannedMoves(
  state: DirectoryState,
  target: ReadonlyMap<number, readonly number[]>,
  down: ReadonlySet<number | undefined>,
): readonly BeginMove[] {
  const lost: BeginMove[] = [];
  const others: BeginMove[] = [];
  for (const record of state.groups.values()) {
    if (record.move !== undefined) continue;
    const wanted = target.get(record.group) ?? [];
    const replacement = replacementOf(state, record, wanted, down);
    if (replacement !== undefined) lost.push(replacement);
    else others.push(...rebalancing(record, wanted, down));
  }
  return [...lost, ...others];
}

function replacementOf(
  state: DirectoryState,
  { group, replicas }: GroupRecord,
  wanted: readonly number[],
  down: ReadonlySet<number | undefined>,
): BeginMove | undefined {
  const remove = replicas.find((replica) => !isSound(state, replica));
  if (remove === undefined) return undefined;
  const add = wanted.find((node) => !down.has(node) && !replicas.some((replica) => replica.node === node));
  return { kind: "beginMove", group, add, remove };
}

function rebalancing(
  { group, replicas }: GroupRecord,
  wanted: readonly number[],
  down: ReadonlySet<number | undefined>,
): BeginMove[] {
  const add = wanted.find((node) => !replicas.some((replica) => replica.node === node));
  const remove = replicas.find(({ node }) => !wanted.includes(node));
  if (add === undefined && remove === undefined) return [];
  return add !== undefined && down.has(add) ? [] : [{ kind: "beginMove", group, add, remove }];
}
