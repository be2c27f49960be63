// The clients of a run: each issues its operations one after the other, through whichever node it is connected to, and notes what it saw.
// One that waits too long, or whose node is gone, does not know what became of its operation.

import type { Operation } from "../../history/index.ts";
import type { Executed } from "../core/execute.ts";
import { audit, transfer } from "./bank.ts";
import { executeOnCluster } from "./execute.ts";
import type { ClusterOperation, ClusterSetup } from "./plan.ts";
import type { TestCluster } from "./test-cluster.ts";

/** How long a client waits for an answer before it counts the outcome as unknown, in milliseconds. */
const PATIENCE_MS = 10_000;

export class Clients {
  readonly history: Operation[] = [];
  readonly counts = { transfers: 0, audits: 0 };
  readonly #cluster: TestCluster;
  readonly #setup: ClusterSetup;
  /** Rises with every invocation and completion, so that what ended before something began is told apart. */
  #stamp = 0;

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
    { process, transaction }: Extract<ClusterOperation, { kind: "transaction" }>,
    through: number,
    late: Promise<undefined>,
  ): Promise<boolean> {
    const { runtime, trace } = this.#cluster;
    const isList = this.#setup.profile !== "registers";
    const invoke = this.#tick();
    const attempt = this.#cluster.onNode(through, (node) =>
      executeOnCluster(node.session(), transaction, isList),
    );
    const unknown: Executed = { outcome: "unknown", ops: transaction.ops };
    const { outcome, ops } = (await Promise.race([attempt, late])) ?? unknown;
    this.history.push({ process, invoke, complete: this.#tick(), outcome, ops });
    trace.add(
      runtime.scheduler.nowUs,
      `c${process}`,
      () => `through ${through}: ${outcome} ${JSON.stringify(ops)}`,
    );
    return outcome === "ok";
  }

  #tick(): number {
    this.#stamp += 1;
    return this.#stamp;
  }
}
