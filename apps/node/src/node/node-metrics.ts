/**
 * What Prometheus is told (`GET /metrics`). Counters and histograms are moved where things happen; what is a state, such as the lag of a
 * shard, is looked up when it is asked for. docs/operations.md lists all of them.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { HostedShardStatus, NodeStatus } from "./node-status.ts";

/** From a tenth of a millisecond to ten seconds. */
const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #commits: Counter<"result">;
  readonly #commitSeconds: Histogram;
  readonly #validations: Counter<"result">;
  readonly #syncSeconds: Histogram;
  readonly #fenced: Counter;

  /**
   * @param status of the node, looked up for each scrape.
   * @param isProcess whether to tell of the process as well, which belongs to one node of it only.
   */
  constructor(node: number, status: () => NodeStatus, isProcess: boolean) {
    const registers = [this.#registry];
    this.#registry.setDefaultLabels({ node: String(node) });
    if (isProcess) collectDefaultMetrics({ register: this.#registry });
    this.#commits = new Counter({
      name: "khonsu_commits_total",
      help: "Attempts to commit through this node, by what became of them.",
      labelNames: ["result"],
      registers,
    });
    this.#commitSeconds = new Histogram({
      name: "khonsu_commit_seconds",
      help: "From the request to commit to the acknowledgement, of those that committed.",
      buckets: SECONDS,
      registers,
    });
    this.#validations = new Counter({
      name: "khonsu_validations_total",
      help: "Validations of transactions that only read, one a shard.",
      labelNames: ["result"],
      registers,
    });
    this.#syncSeconds = new Histogram({
      name: "khonsu_disk_sync_seconds",
      help: "Synced writes to the consensus log.",
      buckets: SECONDS,
      registers,
    });
    this.#fenced = new Counter({
      name: "khonsu_groups_fenced_total",
      help: "Consensus groups that a fault has stopped. Above 0 somebody has to look.",
      registers,
    });
    this.#addGauges(status, registers);
  }

  /** Of all metrics. */
  names(): string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text that Prometheus reads. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  onCommit(result: string, milliseconds: number): void {
    this.#commits.inc({ result });
    if (result === "committed") this.#commitSeconds.observe(milliseconds / 1000);
  }

  onValidation(isValid: boolean): void {
    this.#validations.inc({ result: isValid ? "valid" : "outdated" });
  }

  onSync(milliseconds: number): void {
    this.#syncSeconds.observe(milliseconds / 1000);
  }

  onFenced(): void {
    this.#fenced.inc();
  }

  #addGauges(status: () => NodeStatus, registers: Registry[]): void {
    const ready: Gauge = new Gauge({
      name: "khonsu_ready",
      help: "1 if the node serves.",
      registers,
      collect: () => {
        ready.set(status().ready ? 1 : 0);
      },
    });
    this.#addShardGauges(status, registers);
    const link = new Gauge({
      name: "khonsu_peer_up",
      help: "1 if the link to the node is up.",
      labelNames: ["peer"],
      registers,
      collect: () => {
        link.reset();
        for (const { link: state, node } of status().members) {
          if (state !== "self") link.set({ peer: String(node) }, state === "up" ? 1 : 0);
        }
      },
    });
    const queued = new Gauge({
      name: "khonsu_peer_queued_bytes",
      help: "Bytes that wait to be sent to the node.",
      labelNames: ["peer"],
      registers,
      collect: () => {
        queued.reset();
        for (const { link: state, node, queuedBytes } of status().members) {
          if (state !== "self") queued.set({ peer: String(node) }, queuedBytes);
        }
      },
    });
  }

  #addShardGauges(status: () => NodeStatus, registers: Registry[]): void {
    for (const [name, [help, of]] of Object.entries(SHARD_GAUGES)) {
      const gauge = new Gauge({
        name: `khonsu_shard_${name}`,
        help,
        labelNames: ["shard"],
        registers,
        collect: () => {
          gauge.reset();
          for (const { here, shard } of status().shards) {
            if (here !== null) gauge.set({ shard: String(shard) }, of(here));
          }
        },
      });
    }
  }
}

/** Of each replica that is here. */
const SHARD_GAUGES: Readonly<
  Record<string, readonly [help: string, of: (here: HostedShardStatus) => number]>
> = {
  leader: ["1 if this node leads the shard.", ({ role }) => (role === "leader" ? 1 : 0)],
  applied: ["Index of the last entry applied.", ({ applied }) => applied],
  lag: ["Entries that are decided and not applied here.", ({ lag }) => lag],
  follower_lag: [
    "At the leader: entries that the slowest replica is behind.",
    ({ followers }) => Math.max(0, ...followers.map(({ lag }) => lag)),
  ],
  in_doubt: ["Transactions that are prepared and not decided.", ({ inDoubt }) => inDoubt],
  turns_waiting: ["Transactions that wait for their turn at contended keys.", ({ turns }) => turns.waiting],
  turns_granted: ["Turns given since the replica was opened.", ({ turns }) => turns.granted],
  turns_expired: ["Turns that ended because nobody was heard of in time.", ({ turns }) => turns.expired],
  turns_denied: ["Answers that no turn comes: after a wait, or too many wait.", ({ turns }) => turns.denied],
  queued: ["Proposals that wait.", ({ queued }) => queued],
  in_flight: ["Entries that are accepted and not decided.", ({ inFlight }) => inFlight],
};
