/** Random members, commands and states of a directory. */
import fc from "fast-check";
import { applyCommand } from "../src/directory/apply.ts";
import type { Admission, DirectoryCommand } from "../src/directory/command.ts";
import { foundingState } from "../src/directory/found.ts";
import { DIRECTORY_GROUP, type DirectoryState } from "../src/directory/state.ts";

export const admissionOf = (node: number, life = 1): Admission => ({
  node,
  nonce: `disk-${node}-${life}`,
  address: `host-${node}:5005${node}`,
  zone: node % 2 === 0 ? "even" : undefined,
  weight: 1,
});

export function founded(nodes: number, shards: number, replicas = 3): DirectoryState {
  const founders = Array.from({ length: nodes }, (_, index) => admissionOf(index + 1));
  return foundingState("cluster", founders, { shardCount: shards, replicas });
}

const node = fc.integer({ min: 1, max: 7 });
const group = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(DIRECTORY_GROUP));

/** Commands that make sense now and then: `which` picks among the replicas that there are. */
export const intention = fc.record({
  kind: fc.constantFrom(
    "admit",
    "wipe",
    "update",
    "remove",
    "beginMove",
    "endMove",
    "cancelMove",
    "retire",
    "setReplicas",
  ),
  node,
  group,
  which: fc.nat(9),
  hasAdd: fc.boolean(),
  hasRemove: fc.boolean(),
});

export type Intention = typeof intention extends fc.Arbitrary<infer T> ? T : never;

/** The command that an intention stands for in a state. */
export function commandFor(
  state: DirectoryState,
  { kind, node, group, which, hasAdd, hasRemove }: Intention,
): DirectoryCommand {
  const record = state.groups.get(group) ?? state.groups.get(DIRECTORY_GROUP)!;
  const replica = record.replicas[which % Math.max(1, record.replicas.length)];
  switch (kind) {
    case "admit":
      return {
        kind: "admit",
        admission: { ...admissionOf(node), nonce: state.members.get(node)?.nonce ?? `disk-${node}-1` },
      };
    case "wipe":
      return { kind: "admit", admission: admissionOf(node, 1 + which) };
    case "update":
      return { kind: "update", node, address: `moved-${which}:1`, weight: hasAdd ? 1 + which : undefined };
    case "remove":
      return { kind: "remove", node };
    case "retire":
      return { kind: "retire", node };
    case "setReplicas":
      return { kind: "setReplicas", replicas: which };
    case "beginMove":
      return {
        kind: "beginMove",
        group: record.group,
        add: hasAdd ? node : undefined,
        remove: hasRemove ? replica : undefined,
      };
    case "endMove":
      return {
        kind: "endMove",
        group: record.group,
        move: record.move ?? { add: undefined, remove: replica },
      };
    default:
      return { kind: "cancelMove", group: record.group, add: record.move?.add ?? { node, incarnation: 1 } };
  }
}

/** Every state that a list of intentions leads to, with the command and what came before. */
export function* history(start: DirectoryState, intentions: readonly Intention[]) {
  let before = start;
  for (const each of intentions) {
    const command = commandFor(before, each);
    const { state, outcome } = applyCommand(before, command);
    const after = state!;
    yield { before, command, after, outcome };
    before = after;
  }
}
