// The simulation of `@khonsu/paxos`: a safety phase under faults, a liveness phase with a healed majority, and at the end a check that
// what clients saw is linearizable.

import { checkLinearizable } from "../../checkers/index.ts";
import { asFailure, SimulationFailure } from "../failure.ts";
import { describeFault } from "../fault.ts";
import { FaultInjector } from "../fault-injector.ts";
import type { RunObservation, RunResult, Target } from "../target.ts";
import { PaxosCluster } from "./cluster.ts";
import { runLivenessPhase } from "./liveness.ts";
import { describeOperation, type WorkloadOperation } from "./operation.ts";
import { Operator } from "./operator.ts";
import { type PaxosPart, type PaxosPlan, planPaxos } from "./plan.ts";
import { profiles } from "./profiles.ts";
import { faultSurface } from "./surface.ts";
import { watchExpectations } from "./watch-expectations.ts";

export const paxosTarget: Target<PaxosPart, PaxosPlan> = {
  name: "paxos",
  description: "replicas of @khonsu/paxos, a register workload, and whatever can break",
  profiles: Object.fromEntries(
    Object.entries(profiles).map(([name, { description }]) => [name, description ?? ""]),
  ),
  plan: planPaxos,
  run: runPaxos,
  describePart(part) {
    if (part.kind === "operation") return describeOperation(part.operation);
    return `${(part.event.atUs / 1_000).toFixed(1)} ms: ${describeFault(part.event.fault)}`;
  },
};

function runPaxos(plan: PaxosPlan, { traceLinesMax }: RunObservation): RunResult {
  const cluster = new PaxosCluster(plan.seed, plan.setup, traceLinesMax);
  const operator = new Operator(cluster);
  const injector = new FaultInjector(faultSurface(cluster, operator), cluster.prng.split("faults"));
  let failure: SimulationFailure | undefined;
  try {
    start(cluster, plan);
    injector.schedule(plan.parts.flatMap((part) => (part.kind === "fault" ? [part.event] : [])));
    cluster.scheduler.runUntil(plan.setup.faultsUntilUs);
    runLivenessPhase(cluster, injector, operator, cluster.prng.split("liveness"));
    for (const client of cluster.clients) client.stop();
    requireLinearizable(cluster);
  } catch (error) {
    failure = asFailure(error);
    cluster.trace.add(cluster.scheduler.nowUs, undefined, `FAILED ${failure.kind} ${failure.check}`);
  }
  return {
    steps: cluster.scheduler.steps,
    simulatedUs: cluster.scheduler.nowUs,
    faults: { ...injector.counts, ...networkFaults(cluster), ...diskFaults(cluster) },
    counts: workload(cluster, operator),
    failure,
    trace: cluster.trace,
  };
}

function start(cluster: PaxosCluster, { parts, setup }: PaxosPlan): void {
  cluster.found();
  const byProcess = new Map<number, WorkloadOperation[]>();
  for (let process = 0; process < setup.processes; process += 1) byProcess.set(process, []);
  for (const part of parts)
    if (part.kind === "operation") byProcess.get(part.operation.process)?.push(part.operation);
  let session = cluster.newSession();
  for (const [process, operations] of byProcess) {
    if (process % setup.processesPerSession === 0) session = cluster.newSession();
    cluster.addClient(operations, { session });
  }
  watchExpectations(cluster);
}

function requireLinearizable({ history }: PaxosCluster): void {
  const { valid, failures } = checkLinearizable(history, { configurationsMax: 2_000_000 });
  if (valid === "unknown")
    throw new SimulationFailure("crash", "linearizability-undecided", "The search was given up");
  if (!valid) throw new SimulationFailure("safety", "linearizability", failures[0]?.explanation ?? "");
}

function networkFaults({ network: { counts } }: PaxosCluster): Record<string, number> {
  return {
    "message:lost": counts.lost,
    "message:duplicated": counts.duplicated,
    "message:reordered": counts.reordered,
    "message:blocked": counts.blocked,
    "message:clogged": counts.clogged,
  };
}

function diskFaults({ nodes }: PaxosCluster): Record<string, number> {
  const sum = (name: "lostBatches" | "tornBatches" | "failedSyncs") =>
    nodes.reduce((total, { disk }) => total + disk.counts[name], 0);
  return {
    "disk:lost": sum("lostBatches"),
    "disk:torn": sum("tornBatches"),
    "disk:failed": sum("failedSyncs"),
  };
}

function workload({ history, chosen, network }: PaxosCluster, operator: Operator): Record<string, number> {
  const ok = history.filter(({ outcome }) => outcome === "ok").length;
  return {
    answered: ok,
    unknown: history.length - ok,
    slots: chosen.length,
    messages: network.counts.sent,
    memberships: operator.changes,
  };
}
