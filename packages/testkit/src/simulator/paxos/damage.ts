// Which copies are damaged, which are whole, and what may be damaged without losing data: the fault atlas, and since members change,
// a look at the copies that are left.

import type { PaxosCluster } from "./cluster.ts";
import type { SimulatedNode } from "./node.ts";
import { slotOf } from "./stored-frame.ts";

/** Stands for the image of a checkpoint among damaged slots. */
export const IMAGE = -1;

/** Slots that `node` holds in a record that is damaged now. */
export function damagedSlots(node: SimulatedNode): Set<number> {
  const slots = new Set<number>();
  for (const key of node.disk.damagedKeys) {
    const frame = node.disk.durable.get(key);
    if (frame === undefined) continue;
    if (frame.kind === "image") slots.add(IMAGE);
    const slot = slotOf(frame);
    if (slot !== undefined) slots.add(slot);
  }
  return slots;
}

/** Whether the disk of `node` is wiped, or has lost a record that no peer can give back. */
export function isDiskLost(node: SimulatedNode): boolean {
  if (node.downReason === "disk-lost" || node.downReason === "off" || node.disk.durable.size === 0)
    return true;
  return [...node.disk.damagedKeys].some((key) => {
    const frame = node.disk.durable.get(key);
    return frame?.kind === "record" && slotOf(frame) === undefined;
  });
}

/** Whether `node` has what is chosen in `slot` durable and whole, as an entry or within a checkpoint. */
export function holdsWhole(cluster: PaxosCluster, node: SimulatedNode, slot: number): boolean {
  if (isDiskLost(node)) return false;
  const view = cluster.acceptorCheck.view(node.self);
  const damaged = damagedSlots(node);
  if (view.checkpoint >= slot && !damaged.has(IMAGE)) return true;
  return view.slots.get(slot)?.identity === cluster.chosen.at(slot)?.identity && !damaged.has(slot);
}

/** Whether the record under `key` may be damaged now. Not in a group smaller than it was founded: the atlas is made for that size. */
export function mayDamage(cluster: PaxosCluster, node: SimulatedNode, key: string): boolean {
  const frame = node.disk.durable.get(key);
  if (frame === undefined || cluster.chosen.configuration.voters.length < cluster.setup.voters) return false;
  if (frame.kind === "image")
    return cluster.atlas.mayDamage(node.node, "image") && isHeldByMajority(cluster, node, frame.slot);
  if (frame.header.kind === "promised")
    return node.node === cluster.atlas.wipeable && mayLoseDisk(cluster, node);
  const slot = slotOf(frame);
  if (slot === undefined || !cluster.atlas.mayDamage(node.node, `slot ${slot}`)) return false;
  return slot > cluster.chosen.length || isHeldElsewhere(cluster, node, slot);
}

function isHeldElsewhere(cluster: PaxosCluster, node: SimulatedNode, slot: number): boolean {
  const { voters } = cluster.chosen.configuration;
  return cluster.nodes.some(
    (other) => other !== node && voters.includes(other.self) && holdsWhole(cluster, other, slot),
  );
}

/** The node is a voter beside at least two others that have not lost theirs, and nothing chosen is on its disk alone. */
export function mayLoseDisk(cluster: PaxosCluster, node: SimulatedNode): boolean {
  const { voters } = cluster.chosen.configuration;
  if (voters.length < 3 || !voters.includes(node.self)) return false;
  const members = cluster.nodes.filter(({ self }) => voters.includes(self));
  if (members.some((member) => isDiskLost(member))) return false;
  return isAllHeldElsewhere(cluster, node, cluster.chosen.length);
}

/** Whether a majority without `node` has everything that is chosen up to `through`, so that nothing rests on the image of `node`. */
function isHeldByMajority(cluster: PaxosCluster, node: SimulatedNode, through: number): boolean {
  const { voters } = cluster.chosen.configuration;
  const slots = Array.from({ length: through }, (_, index) => index + 1);
  const holders = cluster.nodes.filter(
    (other) =>
      other !== node &&
      voters.includes(other.self) &&
      slots.every((slot) => holdsWhole(cluster, other, slot)),
  );
  return holders.length > voters.length / 2;
}

/** Whether others have, between them, everything that is chosen up to `through`. */
function isAllHeldElsewhere(cluster: PaxosCluster, node: SimulatedNode, through: number): boolean {
  for (let slot = 1; slot <= through; slot += 1) if (!isHeldElsewhere(cluster, node, slot)) return false;
  return true;
}
