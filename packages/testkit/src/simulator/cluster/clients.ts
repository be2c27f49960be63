// The clients of a run: each issues its operations one after the other, through whichever node it is connected to, and notes what it saw.
// One that waits too long, or whose node is gone, does not know what became of its operation.

import { type ClusterNode, ClusterSession } from "@khonsu/cluster";
import type { CommitTimestamp } from "@khonsu/core";
import type { Operation } from "../../history/index.ts";
import { ensure } from "../failure.ts";
import { audit, transfer } from "./bank.ts";
import { committingTwice } from "./commit-twice.ts";
import { type ExecutedOnCluster, executeOnCluster, ignorableSteps, unread } from "./execute.ts";
import type { ClusterOperation, ClusterSetup } from "./plan.ts";
import { PROFILES } from "./profiles.ts";
import type { TestCluster } from "./test-cluster.ts";
import type { Manner } from "./workload.ts";

type TransactionOperation = Extract<ClusterOperation, { kind: "transaction" }>;

/** How long a client waits for an answer before it counts the outcome as unknown, in milliseconds. */
const PATIENCE_MS = 10_000;
/** Numbers of processes that no client has. */
const OTHERS_FROM = 1_000;

export class Clients {
  readonly history: Operation[] = [];
  /** Those of them that read a snapshot of any replica. */
  readonly snapshots = new Set<Operation>();
  readonly counts = { transfers: 0, audits: 0 };
  readonly #cluster: TestCluster;
  readonly #setup: ClusterSetup;
  /** Rises with every invocation and completion, so that what ended before something began is told apart. */
  #stamp = 0;
  #others = 0;
  /** What each client's last session had seen, and the most that any had. */
  readonly #tokens = new Map<number, CommitTimestamp>();
  #latest = 0 as CommitTimestamp;

  constructor(cluster: TestCluster, setup: ClusterSetup) {
    this.#cluster = cluster;
    this.#setup = setup;
  }

  /** Resolves once every client is through with its operations. */
  async run(operations: readonly ClusterOperation[]): Promise<void> {
    const processes = Array.from({ length: this.#setup.processes }, (_, process) =>
      this.#runOne(operations.filter((operation) => operation.process === process)),
    );
    await Promise.all(processes);
  }

  async #runOne(operations: readonly ClusterOperation[]): Promise<void> {
    const { runtime } = this.#cluster;
    for (const operation of operations) {
      await runtime.sleep(operation.thinkMs);
      let through = operation.node;
      while (!this.#cluster.isServing(through)) {
        await runtime.sleep(20);
        through = (through % this.#setup.nodes) + 1;
      }
      await this.execute(operation, through);
    }
  }

  /** Carries out one operation through a node that runs; whether it is known to have succeeded. */
  async execute(operation: ClusterOperation, through: number): Promise<boolean> {
    const { runtime, trace } = this.#cluster;
    const late = runtime.sleep(PATIENCE_MS).then(() => undefined);
    if (operation.kind === "transaction") return this.#transaction(operation, through, late);
    const attempt = this.#cluster.onNode(through, (node) =>
      operation.kind === "audit"
        ? audit(node.session())
        : transfer(node.session(), operation.from, operation.to),
    );
    const isDone = (await Promise.race([attempt, late])) === true;
    if (isDone) this.counts[operation.kind === "audit" ? "audits" : "transfers"] += 1;
    trace.add(runtime.scheduler.nowUs, `c${operation.process}`, () => `${operation.kind} ${isDone}`);
    return isDone;
  }

  async #transaction(
    operation: TransactionOperation,
    through: number,
    late: Promise<undefined>,
  ): Promise<boolean> {
    const { runtime, trace } = this.#cluster;
    const { manner, process, steps } = operation;
    const { isolation, kind } = PROFILES[this.#setup.profile];
    const isList = kind === "list";
    const token = this.#tokenFor(operation);
    const invoke = this.#tick();
    const attempt = this.#cluster.onNode(through, async (node) => {
      const session = this.#session(node, through, manner);
      session.observe(token);
      const sleep = (milliseconds: number) => runtime.sleep(milliseconds);
      const executed = await executeOnCluster(session, { isolation, steps, manner, isList, sleep });
      this.#noteToken(process, session.observed);
      return executed;
    });
    const unknown: ExecutedOnCluster = { outcome: "unknown", ops: unread(steps, isList) };
    const executed = (await Promise.race([attempt, late])) ?? unknown;
    this.#cluster.observe(() => requireAbove(token, executed));
    const { outcome, ops } = executed;
    const done: Operation = { process, invoke, complete: this.#tick(), outcome, ops };
    this.#note(done, operation);
    if (manner.consistency === "snapshot") this.snapshots.add(done);
    trace.add(
      runtime.scheduler.nowUs,
      `c${process}`,
      () => `through ${through}: ${outcome} ${JSON.stringify(ops)}`,
    );
    return outcome === "ok";
  }

  /** Where the outcome is unknown, so is whether a write was ignored: what is left of it are operations by themselves. */
  #note(done: Operation, { manner, steps }: TransactionOperation): void {
    const { length } = ignorableSteps(steps);
    if (done.outcome !== "unknown" || manner.onConflict !== "ignore" || length === 0) {
      this.history.push(done);
      return;
    }
    const writes = done.ops.filter(([kind]) => kind === "w" || kind === "delete" || kind === "append");
    for (const write of writes) {
      this.#others += 1;
      this.history.push({ ...done, process: OTHERS_FROM + this.#others, ops: [write] });
    }
  }

  /** A session of a client whose commits may be sent twice. */
  #session(node: ClusterNode, id: number, { again }: Manner): ClusterSession {
    const cluster = this.#cluster;
    const runtime = cluster.machine(id).process;
    if (again === undefined || runtime === undefined) return node.session();
    const { clock, coordinators, router } = node;
    const through = async () => {
      await cluster.runtime.sleep(again.afterMs);
      return cluster.isServing(again.node) ? cluster.node(again.node).coordinators : undefined;
    };
    const coordinator = committingTwice(coordinators, {
      through,
      observe: (check) => cluster.observe(check),
    });
    return new ClusterSession({ shards: router, coordinator, clock, runtime });
  }

  #tokenFor({ manner, process }: TransactionOperation): CommitTimestamp {
    if (manner.token === "latest") return this.#latest;
    return (manner.token === "own" ? this.#tokens.get(process) : undefined) ?? (0 as CommitTimestamp);
  }

  #noteToken(process: number, token: CommitTimestamp): void {
    this.#tokens.set(process, token);
    if (token > this.#latest) this.#latest = token;
  }

  #tick(): number {
    this.#stamp += 1;
    return this.#stamp;
  }
}

/** TX-8, TX-20: a session reads at or above what it has seen, and commits above it. */
function requireAbove(token: CommitTimestamp, { snapshot = token, timestamp }: ExecutedOnCluster): void {
  ensure(snapshot >= token, "snapshot-below-token", () => `read at ${snapshot}, having seen ${token}`);
  ensure(
    timestamp === undefined || timestamp > token,
    "commit-below-token",
    () => `committed at ${timestamp}, having seen ${token}`,
  );
  ensure(
    timestamp === undefined || timestamp > snapshot,
    "commit-below-snapshot",
    () => `committed at ${timestamp}, having read at ${snapshot}`,
  );
}
