// The second phase of a run: a connected majority heals, everything else stays broken. From then on all that clients still want must be
// answered, every replica of the majority must catch up, damage must be repaired, and each must serve a linearizable read.

import type { Configuration } from "@khonsu/paxos";
import { SimulationFailure } from "../failure.ts";
import type { FaultInjector } from "../fault-injector.ts";
import { CALM_NETWORK } from "../network.ts";
import { linksOf } from "../partition.ts";
import type { Prng } from "../prng.ts";
import type { Client } from "./client.ts";
import type { PaxosCluster } from "./cluster.ts";
import { damagedSlots, holdsWhole, IMAGE, isDiskLost } from "./damage.ts";
import type { SimulatedNode } from "./node.ts";
import type { Operator } from "./operator.ts";

/** Virtual time that the healed majority has for everything. */
const LIMIT_US = 60_000_000;
/** How long after the heal nodes may still be fenced by what happened before. */
const GRACE_US = 2_000_000;
/** How long it then is left in peace, in which the leader must stay. */
const REST_US = 1_000_000;

export function runLivenessPhase(
  cluster: PaxosCluster,
  injector: FaultInjector,
  operator: Operator,
  prng: Prng,
): void {
  const core = chooseCore(cluster, operator, prng.split("core"));
  operator.stop();
  injector.healAll();
  cluster.network.setQuality(CALM_NETWORK);
  for (const node of cluster.nodes)
    if (!core.includes(node)) leaveBroken(cluster, node, prng.split(node.node));
  restartRotten(core);
  restartFenced(cluster, core);
  const names = core.map(({ node }) => node).join(",");
  cluster.trace.add(cluster.scheduler.nowUs, undefined, `heal ${names}, all else stays broken`);
  for (const client of cluster.clients) if (client.isPinned) client.stop();
  const probes = addProbes(cluster, core);
  const wanted = cluster.clients.filter(({ isPinned }) => !isPinned);
  // A change that was under way may still remove one of the healed: nobody waits for that one any more.
  const isServed = () =>
    wanted.every(({ isDone }) => isDone) &&
    core.every((node) => probes.get(node)?.isDone || !isVoter(cluster, node));
  const isDone = () => isServed() && isConverged(cluster, core);
  const deadlineUs = cluster.scheduler.nowUs + LIMIT_US;
  const done = cluster.scheduler.runUntil(deadlineUs, everyMillisecond(cluster, isDone));
  if (!done) throw new SimulationFailure("liveness", "converge", describeStuck(cluster, core));
  const leading = cluster.leader()?.status?.ballot;
  cluster.scheduler.runUntil(cluster.scheduler.nowUs + REST_US);
  const isStable = cluster.leader()?.status?.ballot.round === leading?.round;
  if (!isConverged(cluster, core) || !isStable)
    throw new SimulationFailure("liveness", "stay-converged", describeStuck(cluster, core));
}

/**
 * Nodes whose image rotted while they ran are restarted, and so check it: a node that leads and does not know of it cannot bring anybody
 * beyond its log. Storages that check what they read fence the node instead, when the first piece is wanted.
 */
function restartRotten(core: readonly SimulatedNode[]): void {
  for (const node of core) {
    if (node.isDown || !damagedSlots(node).has(IMAGE)) continue;
    node.stop("crashed");
    node.restart();
  }
}

/** A write that was under way when the disks healed may still fail and fence its node: for a while somebody restarts those. */
function restartFenced(cluster: PaxosCluster, core: readonly SimulatedNode[]): void {
  const untilUs = cluster.scheduler.nowUs + GRACE_US;
  const round = () => {
    for (const node of core) if (node.downReason === "fenced") node.restart();
    if (cluster.scheduler.nowUs < untilUs) cluster.scheduler.after(GRACE_US / 10, round);
  };
  round();
}

/** Looks at most once a virtual millisecond: the condition costs more than an event does. */
function everyMillisecond(cluster: PaxosCluster, condition: () => boolean): () => boolean {
  let nextUs = 0;
  return () => {
    if (cluster.scheduler.nowUs < nextUs) return false;
    nextUs = cluster.scheduler.nowUs + 1_000;
    return condition();
  };
}

/**
 * A smallest set of voters, in random order, that makes the quorums of the configuration in force, of the one before (nobody may know yet
 * that it was replaced) and of any that may come into force, and in which everything damaged can be told or repaired.
 */
function chooseCore(cluster: PaxosCluster, operator: Operator, prng: Prng): SimulatedNode[] {
  const accepted = [cluster.chosen.configuration, ...cluster.chosen.pendingConfigurations];
  const outcomes = accepted.flatMap((configuration) => operator.outcomesFor(configuration));
  const configurations = [cluster.chosen.configurationBefore, ...outcomes];
  const voters = accepted.flatMap((configuration) => configuration.voters);
  const usable = prng.shuffled(
    cluster.nodes.filter((node) => voters.includes(node.self) && !isDiskLost(node)),
  );
  for (let size = 1; size <= usable.length; size += 1) {
    const core = usable.slice(0, size);
    if (
      configurations.every((configuration) => hasQuorums(core, configuration)) &&
      isRecoverable(cluster, core)
    )
      return core;
  }
  return usable;
}

function hasQuorums(nodes: readonly SimulatedNode[], { voters, quorums }: Configuration): boolean {
  const present = voters.filter((voter) => nodes.some((node) => node.self === voter)).length;
  const majority = Math.floor(voters.length / 2) + 1;
  return present >= (quorums === "majority" ? majority : Math.max(quorums.prepare, quorums.accept));
}

/** Whether for each damaged slot the others still make the quorums, or one of them has it decided and whole. */
function isRecoverable(cluster: PaxosCluster, core: readonly SimulatedNode[]): boolean {
  return core.every((node) =>
    [...damagedSlots(node)].every((slot) => {
      const others = core.filter((other) => other !== node && !damagedSlots(other).has(slot));
      return slot === IMAGE
        ? others.some((other) => holdsAllOf(cluster, other, node))
        : hasQuorums(others, cluster.chosen.configuration) || isToldBy(cluster, others, slot);
    }),
  );
}

function isToldBy(cluster: PaxosCluster, others: readonly SimulatedNode[], slot: number): boolean {
  return others.some(
    (other) => cluster.acceptorCheck.view(other.self).decided >= slot && holdsWhole(cluster, other, slot),
  );
}

/** Whether `node` has, as entries or within its image, all that stood in the damaged image of `damaged`. */
function holdsAllOf(cluster: PaxosCluster, node: SimulatedNode, damaged: SimulatedNode): boolean {
  const { checkpoint } = cluster.acceptorCheck.view(damaged.self);
  for (let slot = 1; slot <= checkpoint; slot += 1) if (!holdsWhole(cluster, node, slot)) return false;
  return true;
}

function isVoter(cluster: PaxosCluster, node: SimulatedNode): boolean {
  return cluster.chosen.configuration.voters.includes(node.self);
}

/** Down, cut off, mute towards us or deaf but talking, frozen, or with a disk that never answers. */
function leaveBroken(cluster: PaxosCluster, node: SimulatedNode, prng: Prng): void {
  const numbers = cluster.nodes.map((other) => other.node);
  const links = linksOf(node.node, numbers);
  switch (prng.integer(0, 5)) {
    case 0:
      if (!node.isDown) node.stop("crashed");
      break;
    case 1:
      cluster.network.block(links);
      break;
    case 2:
      cluster.network.block(links.filter(([from]) => from !== node.node));
      break;
    case 3:
      cluster.network.block(links.filter(([from]) => from === node.node));
      break;
    case 4:
      node.pause();
      break;
    default:
      node.disk.stall();
  }
}

/** A write and a read by anybody, and a read at each node of the majority. Returns the latter. */
function addProbes(cluster: PaxosCluster, core: readonly SimulatedNode[]): Map<SimulatedNode, Client> {
  const write = { process: 0, kind: "write", key: "probe", thinkUs: 0 } as const;
  const read = { process: 0, kind: "read", key: "probe", thinkUs: 0 } as const;
  cluster.addClient([write, read]);
  const later = { ...read, thinkUs: 500_000 };
  return new Map(core.map((node) => [node, cluster.addClient([later], { pinnedTo: node })]));
}

function isConverged(cluster: PaxosCluster, core: readonly SimulatedNode[]): boolean {
  const leader = cluster.leader();
  if (leader?.status === undefined || !core.includes(leader)) return false;
  const { decided, replica } = leader.status;
  return core.every((node) => {
    const { status } = node;
    if (!isVoter(cluster, node)) return true;
    if (status === undefined) return false;
    return status.leader === replica && status.applied === decided && status.doubtful.length === 0;
  });
}

function describeStuck(cluster: PaxosCluster, core: readonly SimulatedNode[]): string {
  const lines = [
    `${core.map(({ node }) => node).join(",")} healed ${LIMIT_US / 1_000_000} s ago and have not converged`,
  ];
  for (const { waitingFor } of cluster.clients)
    if (waitingFor !== undefined) lines.push(`  waiting: ${waitingFor}`);
  for (const node of cluster.nodes) {
    lines.push(
      `  node ${node.node}${core.includes(node) ? "" : " (broken)"}: ${node.downReason ?? JSON.stringify(node.status)}`,
    );
  }
  return lines.join("\n");
}
