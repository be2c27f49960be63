/**
 * Histories of real processes: clients here, the store in a child on a real disk, which is killed again and again. What the
 * clients saw over all lives of the store is one history, and strictly serializable; what was never answered may be either.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkTransactions } from "@khonsu/testkit/checkers";
import { type Executed, Prng } from "@khonsu/testkit/simulator";
import { type AbstractTransaction, recordHistory, Workload } from "@khonsu/testkit/workloads";
import { expect, test } from "vitest";

const SEED = process.env.KHONSU_SEED ?? "1";
const KILLS = Number(process.env.KHONSU_HISTORY_KILLS ?? 12);
const TRANSACTIONS = 150 * KILLS;

/** The store, as long as somebody starts it again. */
class KilledStore {
  readonly #directory: string;
  #child: ChildProcess | undefined;
  #starting: Promise<ChildProcess> | undefined;
  readonly #waiting = new Map<number, (executed: Executed | undefined) => void>();
  #orders = 0;
  kills = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Undefined: the process died, and whether the transaction committed is not known. */
  async execute(transaction: AbstractTransaction): Promise<Executed | undefined> {
    const child = await this.#running();
    const order = this.#orders++;
    return new Promise((resolve) => {
      this.#waiting.set(order, resolve);
      child.send({ order, transaction }, (error) => {
        if (error !== null) this.#answer(order, undefined);
      });
    });
  }

  async kill(): Promise<void> {
    const child = await this.#running();
    this.kills++;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  #running(): Promise<ChildProcess> {
    if (this.#child !== undefined) return Promise.resolve(this.#child);
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, "history-child.ts"), [this.#directory]);
    await once(child, "message");
    child.on("message", (answer) => {
      const { order, ...executed } = answer as { order: number } & Executed;
      this.#answer(order, executed);
    });
    child.on("exit", () => {
      this.#child = undefined;
      for (const order of [...this.#waiting.keys()]) this.#answer(order, undefined);
    });
    this.#child = child;
    this.#starting = undefined;
    return child;
  }

  #answer(order: number, executed: Executed | undefined): void {
    this.#waiting.get(order)?.(executed);
    this.#waiting.delete(order);
  }
}

test(`a store that is killed ${KILLS} times under a workload of seed ${SEED} stays strictly serializable`, async () => {
  const directory = await mkdtemp(join(tmpdir(), "khonsu-history-"));
  const store = new KilledStore(directory);
  const random = new Prng(`process-history/${SEED}`);
  let executed = 0;
  let nextKill = random.integer(20, 150);
  try {
    const runner = {
      transact: async (_process: number, transaction: AbstractTransaction) => {
        if (++executed >= nextKill && store.kills < KILLS) {
          nextKill += random.integer(20, 250);
          await store.kill();
        }
        return (await store.execute(transaction)) ?? { outcome: "unknown" as const, ops: transaction.ops };
      },
    };
    const workload = new Workload({
      seed: `process-history/${SEED}`,
      keys: 6,
      mix: { reads: 4, writes: 4, absentReads: 0.5, scans: 0.2 },
    });
    const history = await recordHistory(runner, workload, { processes: 8, transactions: TRANSACTIONS });
    const { anomalies } = checkTransactions(history, { model: "strict-serializable" });
    expect(anomalies.filter(({ isProscribed }) => isProscribed)).toEqual([]);
    expect(store.kills).toBeGreaterThan(KILLS / 2);
    const outcomes = (outcome: string) => history.filter((operation) => operation.outcome === outcome).length;
    expect(outcomes("ok")).toBeGreaterThan(TRANSACTIONS / 4);
    expect(outcomes("unknown")).toBeGreaterThan(0);
  } finally {
    await store.kill();
    await rm(directory, { recursive: true });
  }
});
