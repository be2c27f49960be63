// What the fault injector may do to a cluster. The fault atlas leaves a majority of the copies of every entry whole, and none is damaged
// that a majority does not hold, so that whatever is lost all the same is a fault of the product.

import { DIRECTORY_GROUP } from "@khonsu/cluster";
import { replicaId } from "@khonsu/paxos";
import type { FaultAtlas } from "../fault-atlas.ts";
import type { FaultSurface } from "../fault-injector.ts";
import type { Network } from "../network.ts";
import { slotOf } from "../paxos/stored-frame.ts";
import type { TestCluster } from "./test-cluster.ts";

export function faultSurface(
  cluster: TestCluster,
  atlas: FaultAtlas,
  restart: (node: number) => void,
): FaultSurface {
  return {
    scheduler: cluster.runtime.scheduler,
    network: cluster.network as Network<unknown>,
    trace: cluster.trace,
    nodes: cluster.ids,
    leader: () => cluster.leaderOf(0) ?? cluster.directoryLeader,
    disk: (name) => cluster.disk(Number(name)),
    clock: (name) => cluster.machine(Number(name)),
    isDown: (name) => !cluster.isRunning(Number(name)),
    crash(name, afterEffects, stopped) {
      const id = Number(name);
      const now = () => {
        cluster.crash(id);
        stopped();
      };
      if (afterEffects === 0) now();
      else cluster.machine(id).process?.endAfter(afterEffects, now);
    },
    cancelCrash: (name) => cluster.machine(Number(name)).process?.cancelEnd(),
    restart: (name) => restart(Number(name)),
    pause: (name) => cluster.machine(Number(name)).pause(),
    resume: (name) => cluster.machine(Number(name)).resume(),
    mayDamage: (name, key) => mayDamage(cluster, atlas, Number(name), key),
    wipeable: () => (isWhole(cluster) ? atlas.wipeable : undefined),
    wiped: (name) => cluster.wiped(Number(name)),
    targetFault: (name, victim, argument) => {
      switch (name) {
        case "transfer":
          return transfer(cluster, Number(victim), argument);
        case "join":
          return join(cluster, restart);
        case "leave":
          return leave(cluster, argument);
        default:
          return false;
      }
    },
  };
}

/** The groups of the cluster, the directory's included, with their replicas; empty while they are not known. */
export function groupsOf(cluster: TestCluster): { group: number; nodes: number[]; isMoving: boolean }[] {
  const groups = cluster.running.length === 0 ? [] : [...(cluster.directory.state?.groups.values() ?? [])];
  return groups.map(({ group, move, replicas }) => ({
    group,
    nodes: replicas.map(({ node }) => node),
    isMoving: move !== undefined,
  }));
}

/** Every node runs and has all its replicas, none of which is on its way. */
function isWhole(cluster: TestCluster): boolean {
  const groups = groupsOf(cluster);
  return (
    groups.length > 0 &&
    cluster.ids.every((id) => cluster.isRunning(id)) &&
    groups.every(
      ({ group, isMoving, nodes }) =>
        !isMoving && nodes.every((node) => cluster.logOf(node, group)?.describe().role !== "outsider"),
    ) &&
    groups.every(({ group, nodes }) => nodes.every((node) => cluster.logOf(node, group) !== undefined))
  );
}

/** An entry that all replicas of its group hold, at the one node whose copies of it the atlas gives up. */
function mayDamage(cluster: TestCluster, atlas: FaultAtlas, node: number, key: string): boolean {
  const [disk, own] = cluster.disk(node).locate(key);
  const frame = disk?.durable.get(own);
  const slot = frame === undefined ? undefined : slotOf(frame);
  const group = Number(key.split(":", 1)[0]);
  const known = groupsOf(cluster).find((each) => each.group === group);
  if (slot === undefined || known === undefined || known.isMoving) return false;
  if (!atlas.mayDamage(node, `${group} ${slot}`)) return false;
  const isHeld = known.nodes.every((other) => other === node || holds(cluster, other, group, slot));
  if (isHeld) cluster.damaged.add(node);
  return isHeld;
}

function holds(cluster: TestCluster, node: number, group: number, slot: number): boolean {
  const checks = cluster.checksOf(group);
  const replica = cluster.replicaOf(node, group);
  if (checks === undefined || replica === undefined) return false;
  const view = checks.acceptors.view(replica);
  return view.checkpoint >= slot || view.slots.get(slot)?.identity === checks.chosen.at(slot)?.identity;
}

/** The leader of some group is asked to hand over to `to`. */
function transfer(cluster: TestCluster, to: number, argument: number): boolean {
  const groups = groupsOf(cluster).map(({ group }) => group);
  const group = groups[argument % Math.max(1, groups.length)] ?? DIRECTORY_GROUP;
  const leader = cluster.leaderOf(group);
  const replica = cluster.replicaOf(to, group);
  if (leader === undefined || leader === to || replica === undefined) return false;
  const target = replicaId(to, replica % 2 ** 32);
  cluster
    .logOf(leader, group)
    ?.transferLeadership(target)
    .catch(() => {}); // refused, or not in time: the leader stays
  return true;
}

const NODES_MAX = 6;

/** A node that never was comes up, and asks to be a member. */
function join(cluster: TestCluster, start: (node: number) => void): boolean {
  const id = Math.max(...cluster.ids) + 1;
  if (id > NODES_MAX) return false;
  start(id);
  return true;
}

/** A member is told to leave, if the cluster can do without it. */
function leave(cluster: TestCluster, argument: number): boolean {
  if (cluster.running.length === 0) return false;
  const { directory } = cluster;
  const members = [...(directory.state?.members.values() ?? [])].filter(({ state }) => state === "active");
  const victim = members[argument % Math.max(1, members.length)];
  if (victim === undefined || members.length <= 3) return false;
  directory.change({ kind: "remove", node: victim.node }).catch(() => {}); // refused, or not in time: it stays
  return true;
}
