/**
 * Clients of all nodes whose workers reschedule flights, and note what was acknowledged and when. A commit whose outcome they
 * are not told is looked up by its id, so that each of them counts as there or as not there.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { TransactionId } from "@khonsu/2pc";
import { type ClusterSession, KeyMap } from "@khonsu/cluster";
import { BEFORE_ANY, type CommitTimestamp } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";
import { type ClusterClient, connectCluster } from "@khonsu/transport-connect";
import { codeOf } from "../../failure.ts";
import { slotKey } from "../flights.ts";
import { LatencyRecorder } from "../latency.ts";
import type { Move } from "../move-log.ts";
import { drawPlan, moveFlights } from "../reschedule.ts";
import type { DemoCluster } from "./demo-cluster.ts";
import { logKey } from "./inspect.ts";

/** A move that was acknowledged. Times are of `performance.now()`. */
export interface Acknowledged {
  readonly move: Move;
  /** The node that the client had chosen; it may have moved on to another. */
  readonly client: number;
  readonly begunAt: number;
  readonly at: number;
  /** The shards that it wrote to. */
  readonly shards: readonly number[];
}

const GIVE_WAY_MS = 20;

export class Traffic implements AsyncDisposable {
  readonly acknowledged: Acknowledged[] = [];
  readonly latency = new LatencyRecorder();
  /** Ids of moves whose outcome nobody could tell. */
  readonly unresolved = new Set<number>();
  /** Commits that were not answered, and turned out to be there or not to be. */
  readonly resolved = { committed: 0, aborted: 0 };
  /** Bodies that ran again. */
  retries = 0;
  /** Transactions that were given up, by the code of the error; they were not applied. */
  readonly givenUp: Record<string, number> = {};
  readonly #clients: readonly ClusterClient[];
  readonly #nodes: readonly number[];
  readonly #keys: KeyMap;
  readonly #sessions: ClusterSession[] = [];
  #nextId = 0;
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined = undefined;

  private constructor(clients: readonly ClusterClient[], nodes: readonly number[]) {
    this.#clients = clients;
    this.#nodes = nodes;
    this.#keys = new KeyMap({ shardCount: clients[0]!.shardCount });
  }

  /** Connects a client to each node; each knows the other addresses as well. */
  static async connect(cluster: DemoCluster): Promise<Traffic> {
    const nodes = cluster.nodes.map(({ node }) => node);
    const connecting = nodes.map((node) => connectCluster({ addresses: cluster.addressesFrom(node) }));
    return new Traffic(await Promise.all(connecting), nodes);
  }

  /** A session with the node at `index`. */
  session(index: number): ClusterSession {
    return this.#clients[index % this.#clients.length]!.session();
  }

  /** The latest that any worker has seen. */
  get observed(): CommitTimestamp {
    return Math.max(BEFORE_ANY, ...this.#sessions.map(({ observed }) => observed)) as CommitTimestamp;
  }

  start(workers: number, random: Prng): void {
    const loops = Array.from({ length: workers }, (_, worker) => this.#work(worker, random.split(worker)));
    this.#running = Promise.all(loops).catch((error: unknown) => {
      this.#failure = { error };
    });
  }

  /** @throws what a worker failed with, where that is nothing that a client has to expect. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Lets what is under way finish. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.#running;
  }

  async #work(worker: number, random: Prng): Promise<void> {
    const at = worker % this.#clients.length;
    const session = this.session(at);
    this.#sessions.push(session);
    while (!this.#isOver) {
      const id = this.#nextId++;
      const begunAt = performance.now();
      const move = await this.#move(session, this.#clients[at]!, id, worker, random);
      if (move === undefined) continue;
      const keys = [slotKey(move.from), slotKey(move.to), logKey(worker)];
      const shards = [...new Set(keys.map((key) => this.#keys.shardOf(key)))];
      this.acknowledged.push({ move, client: this.#nodes[at]!, begunAt, at: performance.now(), shards });
    }
  }

  async #move(
    session: ClusterSession,
    client: ClusterClient,
    id: number,
    worker: number,
    random: Prng,
  ): Promise<Move | undefined> {
    const plan = drawPlan(random, id);
    let attempted: Move | undefined;
    let attempts = 0;
    try {
      return await this.latency.time(() =>
        session.transact(async (tx) => {
          attempts++;
          attempted = await moveFlights(tx, plan, logKey(worker));
          return attempted;
        }),
      );
    } catch (error) {
      if (this.#isOver && attempted === undefined) return undefined;
      return (await this.#wasCommitted(client, id, error)) ? attempted : undefined;
    } finally {
      this.retries += Math.max(0, attempts - 1);
    }
  }

  /** What became of a transaction that ended with `error`. @throws `error` where it is none that clients have to expect */
  async #wasCommitted(client: ClusterClient, id: number, error: unknown): Promise<boolean> {
    const { transactionId, retryable } = error as { transactionId?: TransactionId; retryable?: boolean };
    if (codeOf(error) === "KHONSU_IN_DOUBT" && transactionId !== undefined) {
      const outcome = await this.#lookUp(client, transactionId);
      if (outcome === undefined) this.unresolved.add(id);
      else this.resolved[outcome]++;
      return outcome === "committed";
    }
    if (retryable !== true) throw error;
    const code = codeOf(error) ?? "unknown";
    this.givenUp[code] = (this.givenUp[code] ?? 0) + 1;
    await sleep(GIVE_WAY_MS);
    return false;
  }

  async #lookUp(client: ClusterClient, id: TransactionId): Promise<"committed" | "aborted" | undefined> {
    const { outcome } = await client.outcomeOf(id).catch(() => ({ outcome: undefined }));
    if (outcome === undefined) return undefined;
    if (outcome === "committed") return "committed";
    return outcome === "not-applied" ? "aborted" : undefined;
  }
}
