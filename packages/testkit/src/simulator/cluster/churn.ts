// A cluster whose members come and go at random, under a workload that notices what gets lost: transfers between accounts, and a
// register for each client that only rises.

import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { ensure } from "../failure.ts";
import { isAtRest } from "./check-members.ts";
import { TestCluster, type TestClusterOptions } from "./test-cluster.ts";

const ACCOUNTS = Array.from({ length: 12 }, (_, index) => `account-${index}`);
const CLIENTS = [0, 1, 2];
const BALANCE = 100;
const NODES_MAX = 7;

const batch = (value: number): RecordBatch =>
  tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) }).batches[0]!;
const numberIn = (found: RecordBatch | undefined): number => Number(found?.getChild("value")?.get(0) ?? 0);

export class Churn {
  readonly cluster: TestCluster;
  /** What each client was last told to be committed. */
  readonly #acknowledged = CLIENTS.map(() => 0);
  /** How often each thing was done to the cluster. */
  readonly counts: Record<string, number> = {};
  transfers = 0;
  #isOver = false;
  #clients: Promise<unknown> = Promise.resolve();
  #starting: Promise<unknown>[] = [];

  private constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  static async open(seed: string, options: Omit<TestClusterOptions, "seed">): Promise<Churn> {
    const churn = new Churn(await TestCluster.open({ seed, ...options }));
    const opening = churn.cluster
      .node(1)
      .session()
      .transact((tx) => {
        for (const key of ACCOUNTS) tx.write(key, batch(BALANCE));
      });
    await churn.cluster.runtime.settle(opening);
    return churn;
  }

  /** Does `troubles` things to the cluster, one after another, while clients go on; then everything heals and all nodes run. */
  async run(troubles: number): Promise<void> {
    const { cluster } = this;
    const { runtime } = cluster;
    this.#clients = Promise.all(CLIENTS.map((client) => this.#client(client)));
    for (let trouble = 0; trouble < troubles; trouble++) {
      await runtime.elapse(runtime.choices.integer(20, 1500));
      const kinds = [
        "join",
        "leave",
        "wipe",
        "crash",
        "crash",
        "isolate",
        "kill-mover",
        "isolate-mover",
      ] as const;
      await this.#do(runtime.choices.pick(kinds));
    }
    cluster.heal();
    for (const id of cluster.ids) if (!cluster.isRunning(id) && !this.#isGone(id)) this.#start(id);
    this.#isOver = true;
    await runtime.settle(this.#clients, 240_000);
    await runtime.settle(Promise.all(this.#starting), 240_000);
    await runtime.elapse(5000);
  }

  /** Everything acknowledged is there, and no money came or went. */
  async check(): Promise<void> {
    const { runtime } = this.cluster;
    const reading = this.cluster.members[0]!.node.session().transact(
      async (tx) => {
        const balances = await Promise.all(ACCOUNTS.map(async (key) => numberIn(await tx.read(key))));
        const registers = await Promise.all(
          CLIENTS.map(async (client) => numberIn(await tx.read(`client-${client}`))),
        );
        return { total: balances.reduce((sum, each) => sum + each, 0), registers };
      },
      { readOnly: true },
    );
    const { total, registers } = await runtime.settle(reading);
    ensure(total === ACCOUNTS.length * BALANCE, "bank", () => `the total is ${total}`);
    for (const client of CLIENTS) {
      ensure(
        registers[client]! >= this.#acknowledged[client]!,
        "durability",
        () => `client ${client} was told of ${this.#acknowledged[client]} and finds ${registers[client]}`,
      );
    }
  }

  async #client(client: number): Promise<void> {
    const { runtime } = this.cluster;
    for (let next = 1; !this.#isOver; next++) {
      const nodes = this.cluster.members.filter(({ directory }) => directory.state !== undefined);
      if (nodes.length === 0) {
        await runtime.sleep(50);
        continue;
      }
      const session = runtime.choices.pick(nodes).node.session();
      const [from, to] = [runtime.choices.pick(ACCOUNTS), runtime.choices.pick(ACCOUNTS)];
      const transfer = session.transact(
        async (tx) => {
          const [source, target] = [numberIn(await tx.read(from)), numberIn(await tx.read(to))];
          if (from !== to) {
            tx.write(from, batch(source - 1));
            tx.write(to, batch(target + 1));
          }
          tx.write(`client-${client}`, batch(next));
        },
        { maxRetries: 3 },
      );
      const told = transfer.then(
        () => {
          this.transfers += 1;
          this.#acknowledged[client] = next;
        },
        // Unavailable, in doubt, or out of retries: part of life here.
        () => {},
      );
      await Promise.race([told, runtime.sleep(15_000)]);
      await runtime.sleep(runtime.choices.integer(1, 40));
    }
  }

  async #do(
    kind: "join" | "leave" | "wipe" | "crash" | "isolate" | "kill-mover" | "isolate-mover",
  ): Promise<void> {
    const { cluster } = this;
    const { choices } = cluster.runtime;
    const running = cluster.ids.filter((id) => cluster.isRunning(id));
    const mover = cluster.directoryLeader;
    switch (kind) {
      case "join":
        return this.#join();
      case "leave":
        return this.#leave(choices.pick(running));
      case "wipe":
        return this.#wipe(choices.pick(running));
      case "crash":
        return this.#crash(choices.pick(running));
      case "isolate":
        return this.#isolate(choices.pick(running));
      case "kill-mover":
        return mover === undefined ? undefined : this.#crash(mover);
      case "isolate-mover":
        return mover === undefined ? undefined : this.#isolate(mover);
    }
  }

  #count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  #start(id: number): void {
    this.#starting.push(
      this.cluster
        .start(id)
        .catch((error: unknown) => this.cluster.problems.push({ node: id, group: -1, error })),
    );
  }

  /** A node that never was, or one that has left, on an empty disk. */
  async #join(): Promise<void> {
    const free = Array.from({ length: NODES_MAX }, (_, index) => index + 1).filter(
      (id) => !this.cluster.ids.includes(id) || (this.#isGone(id) && !this.cluster.isRunning(id)),
    );
    if (free[0] === undefined) return;
    this.#count("join");
    this.cluster.wipe(free[0]);
    this.#start(free[0]);
  }

  async #leave(id: number): Promise<void> {
    const { runtime } = this.cluster;
    const asked = runtime.choices.pick(this.cluster.members).directory.change({ kind: "remove", node: id });
    const told = asked.then(
      () => this.#count("leave"),
      () => {},
    );
    await runtime.settle(Promise.race([told, runtime.sleep(3000)]));
  }

  /** Loses a disk, once everything is whole: more than one at a time may be a majority. */
  async #wipe(id: number): Promise<void> {
    const { cluster } = this;
    const isWhole = () =>
      isAtRest(cluster) && cluster.ids.every((each) => cluster.isRunning(each) || this.#isGone(each));
    await cluster.until(isWhole, 3000).catch(() => {});
    const sizes = [...cluster.directory.state!.groups.values()].map(({ replicas }) => replicas.length);
    if (!isWhole() || Math.min(...sizes) < 3 || !cluster.isRunning(id)) return;
    this.#count("wipe");
    cluster.wipe(id);
    await cluster.runtime.elapse(cluster.runtime.choices.integer(10, 500));
    this.#start(id);
  }

  async #crash(id: number): Promise<void> {
    this.#count("crash");
    this.cluster.crash(id);
    await this.cluster.runtime.elapse(this.cluster.runtime.choices.integer(10, 1000));
    this.#start(id);
  }

  async #isolate(id: number): Promise<void> {
    this.#count("isolate");
    this.cluster.isolate(id);
    await this.cluster.runtime.elapse(this.cluster.runtime.choices.integer(100, 1500));
    this.cluster.heal();
  }

  #isGone(id: number): boolean {
    return this.cluster.members.some(({ directory }) => directory.state?.members.get(id)?.state === "gone");
  }
}
