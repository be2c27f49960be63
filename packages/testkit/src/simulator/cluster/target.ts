// A whole cluster under the simulator: the runtime of `@khonsu/cluster` over `@khonsu/paxos`, with crashes, cut-off nodes, lost messages and
// wrong clocks. What clients saw is checked from outside; in the end everything heals, nothing is left in doubt, and replicas agree.

import { stateHash } from "@khonsu/cluster";
import { checkTransactions, type Model } from "../../checkers/index.ts";
import type { Operation } from "../../history/index.ts";
import type { Executed } from "../core/execute.ts";
import { asFailure, ensure, type SimulationFailure } from "../failure.ts";
import type { RunObservation, RunResult, Target } from "../target.ts";
import { Trace } from "../trace.ts";
import { executeOnCluster } from "./execute.ts";
import { type ClusterPart, type ClusterPlan, PROFILES, planCluster } from "./plan.ts";
import { TestCluster } from "./test-cluster.ts";

/** How long a client waits for an answer before it counts the outcome as unknown, in milliseconds. */
const CLIENT_PATIENCE_MS = 30_000;

export const clusterTarget: Target<ClusterPart, ClusterPlan> = {
  name: "cluster",
  description: "three nodes with sharded, replicated transactions: crashes, partitions, loss, wrong clocks",
  profiles: PROFILES,
  plan: planCluster,
  run,
  describePart: (part) =>
    part.kind === "transaction"
      ? `client ${part.process} through node ${part.node}: ${JSON.stringify(part.transaction.ops)}`
      : `${part.kind} of node ${part.node} at ${part.atMs} ms for ${part.forMs} ms`,
};

type Of<K extends ClusterPart["kind"]> = Extract<ClusterPart, { kind: K }>;

async function run(plan: ClusterPlan, observation: RunObservation): Promise<RunResult> {
  const trace = new Trace({ linesMax: observation.traceLinesMax });
  const history: Operation[] = [];
  const faults: Record<string, number> = {};
  const { nodes, shards, loss, snapshotMs } = plan.options;
  const retention = { snapshotMs, outcomeMs: 300_000, everyMs: 100 };
  const cluster = await TestCluster.open({ seed: plan.seed, nodes, shards, loss, retention });
  let failure: SimulationFailure | undefined;
  try {
    await simulate(plan, { cluster, trace, history, faults });
    await checkHealed(plan, cluster);
    checkHistory(plan, history);
  } catch (error) {
    failure = asFailure(error);
  }
  cluster.close();
  const outcomes = (outcome: string) => history.filter((operation) => operation.outcome === outcome).length;
  return {
    steps: cluster.runtime.scheduler.steps,
    simulatedUs: cluster.runtime.scheduler.nowUs,
    faults,
    counts: { ok: outcomes("ok"), fail: outcomes("fail"), unknown: outcomes("unknown") },
    failure,
    trace: { lines: trace.lines, droppedLines: trace.droppedLines, digest: trace.digest },
  };
}

interface World {
  readonly cluster: TestCluster;
  readonly trace: Trace;
  readonly history: Operation[];
  readonly faults: Record<string, number>;
}

async function simulate(plan: ClusterPlan, world: World): Promise<void> {
  const { cluster } = world;
  const { runtime } = cluster;
  const clients = Array.from({ length: plan.options.processes }, (_, process) =>
    runClient(plan.parts.filter(isOfClient(process)), plan, world),
  );
  const clientsDone = Promise.all(clients);
  let isOver = false;
  const markOver = () => {
    isOver = true;
  };
  clientsDone.then(markOver, markOver);
  const troubles = runFaults(plan.parts.filter(isFault), () => isOver, world);
  await runtime.settle(clientsDone, 3_600_000);
  await runtime.settle(troubles, 3_600_000);
}

function isOfClient(process: number) {
  return (part: ClusterPart): part is Of<"transaction"> =>
    part.kind === "transaction" && part.process === process;
}

function isFault(part: ClusterPart): part is Of<"crash" | "isolate"> {
  return part.kind !== "transaction";
}

async function runClient(
  parts: readonly Of<"transaction">[],
  plan: ClusterPlan,
  world: World,
): Promise<void> {
  const { cluster, history, trace } = world;
  const { runtime } = cluster;
  for (const { process, node, transaction } of parts) {
    let through = node;
    while (!cluster.isRunning(through)) {
      await runtime.sleep(20);
      through = (through % plan.options.nodes) + 1;
    }
    const invoke = tick(world);
    const executing = executeOnCluster(
      cluster.node(through).session(),
      transaction,
      plan.profile !== "registers",
    );
    const late = runtime
      .sleep(CLIENT_PATIENCE_MS)
      .then((): Executed => ({ outcome: "unknown", ops: transaction.ops }));
    const { outcome, ops } = await Promise.race([executing, late]);
    history.push({ process, invoke, complete: tick(world), outcome, ops });
    trace.add(runtime.scheduler.nowUs, through, () => `${process} ${outcome} ${JSON.stringify(ops)}`);
  }
}

const ticks = new WeakMap<World, number>();

/** A clock of the history: it rises with every call, so that what ended before something began is told apart. */
function tick(world: World): number {
  const next = (ticks.get(world) ?? 0) + 1;
  ticks.set(world, next);
  return next;
}

async function runFaults(
  parts: readonly Of<"crash" | "isolate">[],
  isOver: () => boolean,
  { cluster, faults, trace }: World,
): Promise<void> {
  const { runtime } = cluster;
  for (const { kind, node, atMs, forMs } of parts) {
    while (runtime.now() < atMs && !isOver()) await runtime.sleep(Math.min(50, atMs - runtime.now()));
    if (isOver()) return;
    faults[kind] = (faults[kind] ?? 0) + 1;
    trace.add(runtime.scheduler.nowUs, node, kind);
    if (kind === "crash") cluster.crash(node);
    else cluster.isolate(node);
    await runtime.sleep(forMs);
    if (kind === "crash") await cluster.start(node);
    else cluster.heal();
    trace.add(runtime.scheduler.nowUs, node, "healed");
  }
}

/** Everything has healed: nothing stays in doubt, and replicas that have applied the same entries are in the same state. */
async function checkHealed({ options }: ClusterPlan, cluster: TestCluster): Promise<void> {
  await cluster.runtime.elapse(15_000);
  for (let shard = 0; shard < options.shards; shard++) {
    const hashes = new Map<number, number>();
    for (const node of cluster.running) {
      const { log, consensus } = node.replicaOf(shard)!;
      const { machine } = log;
      ensure(
        machine.preparedCount === 0,
        "in-doubt",
        () => `shard ${shard} holds ${machine.preparedCount} prepared`,
      );
      const { applied } = consensus.status();
      const hash = stateHash(machine);
      const other = hashes.get(applied) ?? hash;
      ensure(
        hash === other,
        "state-hash",
        () => `replicas of shard ${shard} differ at ${applied}: ${hash} and ${other}`,
      );
      hashes.set(applied, hash);
    }
  }
}

function checkHistory({ profile }: ClusterPlan, history: readonly Operation[]): void {
  const model: Model = profile === "snapshot" ? "snapshot-isolation" : "strict-serializable";
  const { anomalies } = checkTransactions(history, { model });
  const found = anomalies.find(({ isProscribed }) => isProscribed);
  ensure(found === undefined, found?.kind ?? "", () => found?.explanation ?? "");
}
