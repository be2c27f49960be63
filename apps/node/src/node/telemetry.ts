/** What a node tells of itself while it runs: its log, its metrics, and the counts that its status is made of. */
import type { PaxosError } from "@khonsu/paxos";
import type { PeerEvent } from "@khonsu/transport-connect";
import type { Logger } from "./logger.ts";
import { NodeMetrics } from "./node-metrics.ts";
import type { NodeStatus, StorageStatus } from "./node-status.ts";
import { RecentQuantiles } from "./recent-quantiles.ts";
import { TransactionMeter } from "./transaction-meter.ts";

export class Telemetry {
  readonly log: Logger;
  readonly metrics: NodeMetrics;
  readonly meter: TransactionMeter;
  readonly #syncMs: RecentQuantiles;
  #syncs = 0;

  /** @param now milliseconds from any origin; never goes back. */
  constructor(node: number, log: Logger, now: () => number, status: () => NodeStatus, isProcess: boolean) {
    this.log = log;
    this.metrics = new NodeMetrics(node, status, isProcess);
    this.#syncMs = new RecentQuantiles(now);
    this.meter = new TransactionMeter(now, {
      onCommit: (result, milliseconds) => this.metrics.onCommit(result, milliseconds),
      onValidation: (isValid) => this.metrics.onValidation(isValid),
    });
  }

  onSync(milliseconds: number): void {
    this.#syncs++;
    this.#syncMs.record(milliseconds);
    this.metrics.onSync(milliseconds);
  }

  /** A group has stopped for good. Everybody who looks is to see it. */
  onFenced(group: number, error: PaxosError): void {
    this.metrics.onFenced();
    const isWanted = error.code === "KHONSU_REPLICA_RETIRED";
    const what = isWanted
      ? "the replica was removed from its group"
      : "THE GROUP IS FENCED: its replica has stopped for good";
    this.log[isWanted ? "info" : "fatal"]({ group, code: error.code, err: error }, what);
  }

  onPeerEvent(event: PeerEvent): void {
    const { kind, ...fields } = event;
    if ("code" in event && event.code === "KHONSU_PROTOCOL_VERSION")
      this.log.error(
        fields,
        "a node speaks no version of the protocol in common with this one: upgrade the older",
      );
    else if (kind === "up") this.log.info(fields, "a link is up");
    else if (kind === "down") this.log.warn(fields, "a link is down, or could not be made");
    else if (kind === "refused") this.log.warn(fields, "somebody was refused as a peer");
    else this.log.error({ ...fields, err: event.error }, "a message of a peer could not be handled");
  }

  storage(directory: string): StorageStatus {
    return { directory, syncs: this.#syncs, syncMs: this.#syncMs.read() };
  }
}
