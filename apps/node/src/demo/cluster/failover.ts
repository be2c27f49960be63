/**
 * Kills the node that leads the most shards in the middle of the traffic, measures how long clients wait for each of its shards,
 * starts it again, and waits until it has caught up.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../../failure.ts";
import type { NodeStatus } from "../../node/node-status.ts";
import type { DemoCluster } from "./demo-cluster.ts";
import type { Acknowledged, Traffic } from "./traffic.ts";

const POLL_MS = 10;
/** After so long a shard counts as lost. */
const PATIENCE_MS = 90_000;

export interface Failover {
  readonly node: number;
  /** The shards that the node led when it was killed. */
  readonly ledShards: readonly number[];
  /** Milliseconds from the kill until a transaction begun after it had committed in each of these shards; the longest of them. */
  readonly pauseMs: number;
  /** The longest time in which no client was told of any commit, from the kill on. */
  readonly silenceMs: number;
  /** Commits acknowledged while the node was gone. */
  readonly commitsMeanwhile: number;
}

export interface Recovery {
  /** Milliseconds from the start of the process until it says that it serves. */
  readonly startMs: number;
  /** Milliseconds from the start of the process until it had applied all that the others had when it started. */
  readonly caughtUpMs: number;
  /** Entries of the logs that it had to catch up with. */
  readonly missedEntries: number;
}

interface KilledNode {
  readonly failover: Failover;
  /** The entries that it had applied, over all shards. */
  readonly appliedBefore: number;
}

/** @param forMs how long it is to be gone at least. It is gone until its shards are served by others. */
export async function killLeader(cluster: DemoCluster, traffic: Traffic, forMs: number): Promise<KilledNode> {
  const [before] = await cluster
    .until("some node leads", (statuses) => statuses.some(leads))
    .then(busiestFirst);
  const { node } = before!;
  const ledShards = ledBy(before!);
  const appliedBefore = appliedBy(before!);
  const from = traffic.acknowledged.length;
  const killedAt = performance.now();
  await cluster.node(node).kill();
  const pauseMs = await untilServed(traffic, ledShards, killedAt);
  while (performance.now() - killedAt < forMs) {
    traffic.check();
    await sleep(POLL_MS);
  }
  const meanwhile = traffic.acknowledged.slice(from);
  const silenceMs = longestGap(meanwhile, killedAt);
  return {
    failover: { node, ledShards, pauseMs, silenceMs, commitsMeanwhile: meanwhile.length },
    appliedBefore,
  };
}

/** Starts a node that was killed, and waits until it is as far as the others were. */
export async function restart(cluster: DemoCluster, node: number, appliedBefore: number): Promise<Recovery> {
  const others = cluster.nodes.filter((each) => each.node !== node);
  const statuses = (await Promise.all(others.map((each) => each.status()))).filter(
    (status) => status !== undefined,
  );
  const goal = highestApplied(statuses);
  const startedAt = performance.now();
  await cluster.node(node).start();
  const startMs = performance.now() - startedAt;
  await cluster.until(`node ${node} catches up`, (all) => {
    const own = all.find((status) => status.node === node);
    return own?.ready === true && isAsFarAs(own, goal);
  });
  const entries = [...goal.values()].reduce((sum, applied) => sum + applied, 0);
  return {
    startMs,
    caughtUpMs: performance.now() - startedAt,
    missedEntries: Math.max(0, entries - appliedBefore),
  };
}

/** The shards that a node leads, by what it says itself. */
function ledBy({ shards }: NodeStatus): number[] {
  return shards.filter(({ here }) => here?.role === "leader").map(({ shard }) => shard);
}

function leads(status: NodeStatus): boolean {
  return ledBy(status).length > 0;
}

function busiestFirst(statuses: readonly NodeStatus[]): NodeStatus[] {
  return [...statuses].sort((a, b) => ledBy(b).length - ledBy(a).length || a.node - b.node);
}

/** Until transactions that began after the kill have committed in each of the shards. */
async function untilServed(traffic: Traffic, shards: readonly number[], killedAt: number): Promise<number> {
  for (;;) {
    traffic.check();
    const served = shards.map((shard) => firstAfter(traffic.acknowledged, shard, killedAt));
    if (served.every((at) => at !== undefined)) return Math.max(0, ...served) - killedAt;
    if (performance.now() - killedAt > PATIENCE_MS) {
      const lost = shards.filter((_, index) => served[index] === undefined);
      const since = traffic.acknowledged.filter(({ at }) => at > killedAt).length;
      const message = `Shards ${lost.join(", ")} are not served after their leader was killed`;
      const others = `${since} commits elsewhere, ${traffic.retries} retries, given up: ${JSON.stringify(traffic.givenUp)}`;
      throw new CommandError(`${message} (${others})`);
    }
    await sleep(POLL_MS);
  }
}

function firstAfter(acknowledged: readonly Acknowledged[], shard: number, time: number): number | undefined {
  // The newest are at the end, and all that count are there.
  let found: number | undefined;
  for (let i = acknowledged.length - 1; i >= 0 && acknowledged[i]!.at > time; i--) {
    const { at, begunAt, shards } = acknowledged[i]!;
    if (begunAt > time && shards.includes(shard)) found = at;
  }
  return found;
}

function longestGap(acknowledged: readonly Acknowledged[], from: number): number {
  let longest = 0;
  let last = from;
  for (const { at } of acknowledged) {
    longest = Math.max(longest, at - last);
    last = at;
  }
  return longest;
}

function appliedBy({ shards }: NodeStatus): number {
  return shards.reduce((sum, { here }) => sum + (here?.applied ?? 0), 0);
}

function highestApplied(statuses: readonly NodeStatus[]): ReadonlyMap<number, number> {
  const highest = new Map<number, number>();
  for (const { shards } of statuses) {
    for (const { shard, here } of shards) {
      highest.set(shard, Math.max(highest.get(shard) ?? 0, here?.applied ?? 0));
    }
  }
  return highest;
}

function isAsFarAs({ shards }: NodeStatus, goal: ReadonlyMap<number, number>): boolean {
  return shards.every(({ shard, here }) => here === null || here.applied >= (goal.get(shard) ?? 0));
}
