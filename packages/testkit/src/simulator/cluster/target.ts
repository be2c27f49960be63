// A whole cluster under the simulator: the runtime of `@khonsu/cluster` with its directory, over `@khonsu/paxos`, with all faults at all
// layers at once. What clients saw is checked from outside, each group at each step; in the end everything heals, nothing is left in
// doubt, what was acknowledged is there, and replicas agree.

import process from "node:process";
import { asFailure, SimulationFailure } from "../failure.ts";
import { describeFault } from "../fault.ts";
import { FaultAtlas } from "../fault-atlas.ts";
import { FaultInjector } from "../fault-injector.ts";
import { CALM_NETWORK } from "../network.ts";
import { Prng } from "../prng.ts";
import type { RunObservation, RunResult, Target } from "../target.ts";
import { audit, openAccounts } from "./bank.ts";
import { checkMembers, isAtRest } from "./check-members.ts";
import { Clients } from "./clients.ts";
import { checkHealed } from "./healed.ts";
import { checkHistory } from "./histories.ts";
import { type ClusterOperation, type ClusterPart, type ClusterPlan, planCluster } from "./plan.ts";
import { PROFILES } from "./profiles.ts";
import { faultSurface } from "./surface.ts";
import { TestCluster } from "./test-cluster.ts";

/** How long an operator takes to notice that a node is fenced and to start it again, in milliseconds. */
const OPERATOR_MS = 300;
/** Why a replica may stop, when disks fail or are lost and members are replaced. */
const EXPECTED_PROBLEMS: ReadonlySet<unknown> = new Set([
  "KHONSU_STORAGE_FAILED",
  "KHONSU_STORAGE_CORRUPT",
  "KHONSU_IDENTITY_MISMATCH",
  "KHONSU_REPLICA_RETIRED",
  "KHONSU_REPLICA_STOPPED",
  "KHONSU_MEMBER_RETIRED",
]);

export const clusterTarget: Target<ClusterPart, ClusterPlan> = {
  name: "cluster",
  description: "three nodes with sharded, replicated transactions, and whatever can break",
  profiles: Object.fromEntries(Object.entries(PROFILES).map(([name, { about }]) => [name, about])),
  plan: planCluster,
  run,
  describePart,
};

function describePart(part: ClusterPart): string {
  if (part.kind === "fault")
    return `${(part.event.atUs / 1_000).toFixed(1)} ms: ${describeFault(part.event.fault)}`;
  const who = `client ${part.process} through node ${part.node}`;
  if (part.kind === "audit") return `${who}: audit`;
  if (part.kind === "transfer") return `${who}: transfer from ${part.from} to ${part.to}`;
  return `${who}: ${JSON.stringify(part.steps)} ${JSON.stringify(part.manner)}`;
}

async function run(plan: ClusterPlan, { traceLinesMax }: RunObservation): Promise<RunResult> {
  const { setup } = plan;
  const { inDoubtMs, restores, retention, tickMs } = PROFILES[setup.profile];
  const cluster = await TestCluster.open({
    ...setup,
    seed: plan.seed,
    retention: { snapshotMs: setup.snapshotMs, outcomeMs: setup.outcomeMs, everyMs: retention.everyMs },
    tickMs,
    inDoubtMs,
    restores,
    traceLinesMax,
  });
  const simulation = new ClusterSimulation(plan, cluster);
  let failure: SimulationFailure | undefined;
  // What is thrown where nobody awaits it would end the process of a node.
  const onUnhandled = (error: unknown) => {
    cluster.failure ??= asFailure(error);
  };
  process.on("unhandledRejection", onUnhandled);
  try {
    await simulation.run();
  } catch (error) {
    failure = cluster.failure ?? asFailure(error);
    cluster.trace.add(cluster.runtime.scheduler.nowUs, undefined, `FAILED ${failure.kind} ${failure.check}`);
  }
  await new Promise((resolve) => setImmediate(resolve)); // lets what was not awaited be told
  process.off("unhandledRejection", onUnhandled);
  failure ??= cluster.failure;
  const { scheduler } = cluster.runtime;
  const result = { steps: scheduler.steps, simulatedUs: scheduler.nowUs };
  const { faults, counts } = simulation;
  cluster.close();
  return { ...result, faults, counts, failure, trace: cluster.trace };
}

class ClusterSimulation {
  readonly #plan: ClusterPlan;
  readonly #cluster: TestCluster;
  readonly #prng: Prng;
  readonly #clients: Clients;
  readonly #injector: FaultInjector;
  readonly #starting = new Set<number>();
  /** The node that nobody restarts any more. */
  #leftDown: number | undefined;

  constructor(plan: ClusterPlan, cluster: TestCluster) {
    const { nodes, wipes } = plan.setup;
    this.#plan = plan;
    this.#cluster = cluster;
    this.#prng = new Prng(`cluster/${plan.seed}/simulation`);
    this.#clients = new Clients(cluster, plan.setup);
    const ids = Array.from({ length: nodes }, (_, index) => index + 1);
    const atlas = new FaultAtlas(this.#prng.split("atlas"), { nodes: ids, damagedMax: 1, wipes });
    const surface = faultSurface(cluster, atlas, (node) => this.#restart(node));
    this.#injector = new FaultInjector(surface, this.#prng.split("faults"));
    cluster.onFenced = (node) => this.#replaceProcess(node);
  }

  async run(): Promise<void> {
    const { parts, setup } = this.#plan;
    const { runtime } = this.#cluster;
    if (setup.profile === "bank") await runtime.settle(openAccounts(this.#cluster.node(1).session()));
    const startUs = runtime.scheduler.nowUs;
    const events = parts.flatMap((part) => (part.kind === "fault" ? [part.event] : []));
    this.#injector.schedule(events.map((event) => ({ ...event, atUs: startUs + event.atUs })));
    const working = this.#clients.run(
      parts.filter((part): part is ClusterOperation => part.kind !== "fault"),
    );
    working.catch(() => {}); // what it rejects with is heard when it is awaited
    await this.#during(runtime.elapse(setup.faultsUntilUs / 1_000));
    this.#heal();
    await this.#during(runtime.settle(working, 600_000));
    if (setup.profile === "members") await this.#during(this.#checkMembers());
    await this.#during(checkHealed(this.#cluster));
    await this.#during(this.#checkPresent());
    this.#requireNoFailure();
    checkHistory(PROFILES[setup.profile], this.#clients);
  }

  /** Every replica is where it should be, and nothing is left where it was. */
  async #checkMembers(): Promise<void> {
    await this.#cluster.until(() => isAtRest(this.#cluster), 120_000);
    checkMembers(this.#cluster);
  }

  get faults(): Record<string, number> {
    const { network, ids } = this.#cluster;
    const faults: Record<string, number> = {
      ...this.#injector.counts,
      "message:lost": network.counts.lost,
      "message:duplicated": network.counts.duplicated,
      "message:reordered": network.counts.reordered,
      "message:blocked": network.counts.blocked,
      "message:clogged": network.counts.clogged,
    };
    for (const id of ids) {
      for (const [name, count] of Object.entries(this.#cluster.disk(id).counts))
        faults[`disk:${name}`] = (faults[`disk:${name}`] ?? 0) + count;
    }
    return faults;
  }

  get counts(): Record<string, number> {
    const { counts, history } = this.#clients;
    const outcomes = (name: string) => history.filter(({ outcome }) => outcome === name).length;
    return { ...counts, ok: outcomes("ok"), fail: outcomes("fail"), unknown: outcomes("unknown") };
  }

  /** A check that failed in the midst of the product ends the run as soon as what is awaited is over, and what is awaited if it fails. */
  async #during(work: Promise<unknown>): Promise<void> {
    await work;
    this.#requireNoFailure();
  }

  #requireNoFailure(): void {
    if (this.#cluster.failure !== undefined) throw this.#cluster.failure;
    for (const { error, group, node } of this.#cluster.problems) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (EXPECTED_PROBLEMS.has(code)) continue;
      throw new SimulationFailure(
        "crash",
        String(code ?? "exception"),
        `node ${node}, group ${group}: ${error}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Everything heals; one node may stay down. */
  #heal(): void {
    const { ids, machine, network, runtime, trace } = this.#bound();
    this.#leftDown = this.#plan.setup.leavesOneDown ? this.#pickLeftDown(ids) : undefined;
    this.#injector.healAll();
    this.#cluster.settleDown();
    network.setQuality(CALM_NETWORK);
    for (const id of ids) machine(id).setRight();
    if (this.#leftDown !== undefined) this.#cluster.crash(this.#leftDown);
    trace.add(runtime.scheduler.nowUs, undefined, `heal, all but ${this.#leftDown ?? "none"}`);
  }

  /** Who has damaged records cannot vote on them before another has repaired them: of three voters no second one may be missing then. */
  #pickLeftDown(ids: readonly number[]): number | undefined {
    const { damaged } = this.#cluster;
    if (damaged.size > 1) return undefined;
    return this.#prng.split("left down").pick(damaged.size === 0 ? ids : [...damaged]);
  }

  #bound() {
    const { ids, network, runtime, trace } = this.#cluster;
    return { ids, network, runtime, trace, machine: (id: number) => this.#cluster.machine(id) };
  }

  #restart(node: number): void {
    if (node === this.#leftDown || this.#starting.has(node) || this.#cluster.isRunning(node)) return;
    this.#starting.add(node);
    this.#cluster
      .start(node)
      .catch((error: unknown) => {
        this.#cluster.problems.push({ node, group: -1, error });
      })
      .finally(() => this.#starting.delete(node));
  }

  /** A replica is fenced, loudly: an operator starts its node again. */
  #replaceProcess(node: number): void {
    const { process } = this.#cluster.machine(node);
    void this.#cluster.runtime.sleep(OPERATOR_MS).then(() => {
      if (process?.isOver !== false) return;
      this.#cluster.crash(node);
      this.#restart(node);
    });
  }

  /** What was acknowledged is there: one more read of everything, held against the history. */
  async #checkPresent(): Promise<void> {
    const { parts, setup } = this.#plan;
    const through = this.#cluster.ids.find((id) => this.#cluster.isServing(id)) ?? 1;
    if (setup.profile === "bank") {
      const isRead = await this.#cluster.runtime.settle(audit(this.#cluster.node(through).session(), 20));
      if (!isRead) throw new SimulationFailure("liveness", "final-read", "the accounts cannot be read");
      return;
    }
    const steps = keysOf(parts).map((key) => ["r", key] as const);
    const manner = {
      pausesMs: [],
      consistency: "strict",
      onConflict: "fail",
      token: "none",
      again: undefined,
    } as const;
    const by = { process: setup.processes, node: through, thinkMs: 0 };
    const read = { ...by, kind: "transaction", steps, manner } as const;
    for (let attempts = 0; attempts < 20; attempts += 1)
      if (await this.#cluster.runtime.settle(this.#clients.execute(read, through))) return;
    throw new SimulationFailure("liveness", "final-read", "the keys cannot be read");
  }
}

/** All keys that the transactions of a plan name. */
function keysOf(parts: readonly ClusterPart[]): string[] {
  const keys = new Set<string>();
  for (const part of parts) {
    if (part.kind !== "transaction") continue;
    for (const [kind, key] of part.steps) if (kind !== "scan" && kind !== "page") keys.add(String(key));
  }
  return [...keys].sort();
}
