// What the fault injector may do to a Paxos cluster, and the faults that only it has: transfers of leadership at bad moments, members
// that come and go, images that rot under a running node.

import { replicaId } from "@khonsu/paxos";
import type { FaultSurface } from "../fault-injector.ts";
import type { Network } from "../network.ts";
import type { PaxosCluster } from "./cluster.ts";
import { mayDamage, mayLoseDisk } from "./damage.ts";
import type { SimulatedNode } from "./node.ts";
import type { Operator } from "./operator.ts";

export function faultSurface(cluster: PaxosCluster, operator: Operator): FaultSurface {
  return {
    scheduler: cluster.scheduler,
    network: cluster.network as Network<unknown>,
    trace: cluster.trace,
    nodes: cluster.nodes.map(({ node }) => node),
    leader: () => cluster.leader()?.node,
    disk: (name) => cluster.node(name).disk,
    clock: (name) => cluster.node(name).clock,
    isDown: (name) => cluster.node(name).isDown,
    crash: (name, afterEffects, stopped) => cluster.node(name).crash(afterEffects, stopped),
    cancelCrash: (name) => cluster.node(name).cancelCrash(),
    restart(name) {
      const node = cluster.node(name);
      if (node.downReason === "crashed" || node.downReason === "fenced") node.restart();
    },
    pause: (name) => cluster.node(name).pause(),
    resume: (name) => cluster.node(name).resume(),
    mayDamage: (name, key) => operator.isIdle && mayDamage(cluster, cluster.node(name), key),
    wipeable: () => wipeable(cluster, operator),
    wiped: (name) => cluster.acceptorCheck.forget(cluster.node(name).self),
    targetFault: (name, victim, argument) =>
      targetFault(cluster, operator, name, cluster.node(victim), argument),
  };
}

function wipeable(cluster: PaxosCluster, operator: Operator): number | undefined {
  const name = cluster.atlas.wipeable;
  if (name === undefined || !operator.isIdle) return undefined;
  const node = cluster.node(name);
  return mayLoseDisk(cluster, node) ? node.node : undefined;
}

function targetFault(
  cluster: PaxosCluster,
  operator: Operator,
  name: string,
  victim: SimulatedNode,
  argument: number,
): boolean {
  if (name === "rot-image") return rotImage(cluster, operator, victim);
  if (cluster.setup.quorums !== "majority" && name !== "transfer" && name !== "transfer-and-crash")
    return false;
  switch (name) {
    case "transfer":
      return transfer(cluster, victim);
    case "transfer-and-crash": {
      const leader = cluster.leader();
      if (leader === undefined || !transfer(cluster, victim)) return false;
      const loser = argument % 2 === 0 ? leader : victim;
      if (loser.isDown) return true;
      loser.crash(1 + (argument % 24), () => {
        cluster.scheduler.after(100_000 + (argument % 400_000), () => {
          if (loser.downReason === "crashed") loser.restart();
        });
      });
      return true;
    }
    case "add": {
      const spare = cluster.nodes.find((node) => node.downReason === "off");
      return spare !== undefined && operator.add(spare);
    }
    case "remove":
      return operator.remove(victim, false);
    case "replace":
      return operator.remove(victim, true);
    default:
      return false;
  }
}

/** An image rots under a node that runs: it has checked it when it began, and gives pieces of it to whoever is behind. */
function rotImage(cluster: PaxosCluster, operator: Operator, { disk, node }: SimulatedNode): boolean {
  const key = disk.keys().find((name) => disk.durable.get(name)?.kind === "image");
  if (key === undefined || !operator.isIdle || !mayDamage(cluster, cluster.node(node), key)) return false;
  return disk.rot(key);
}

function transfer(cluster: PaxosCluster, to: SimulatedNode): boolean {
  const leader = cluster.leader();
  if (leader === undefined || leader === to) return false;
  leader.command({ kind: "transferRequested", to: replicaId(to.node, Math.max(1, to.incarnation)) });
  return true;
}
