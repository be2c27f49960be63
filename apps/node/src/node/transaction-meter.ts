/**
 * Counts what becomes of transactions: it stands before the coordinator and the shards of a node, where every session passes, those
 * of this process and those of clients elsewhere.
 */
import type { Answer, CommitCoordinator, CommitResult, ShardAccess } from "@khonsu/cluster";
import type { TransactionCounters } from "./node-status.ts";
import { RecentQuantiles } from "./recent-quantiles.ts";
import { RecentRate } from "./recent-rate.ts";

/** Told of every attempt to commit; for metrics. */
export interface MeterEvents {
  /** `result`: "committed", or why not, as in `TransactionCounters.refused`. */
  readonly onCommit: (result: string, milliseconds: number) => void;
  /** The validation of a transaction that only read. */
  readonly onValidation: (isValid: boolean) => void;
}

export class TransactionMeter {
  readonly #now: () => number;
  readonly #events: MeterEvents;
  #committed = 0;
  #readOnly = 0;
  readonly #refused = new Map<string, number>();
  readonly #latency: RecentQuantiles;
  readonly #rate: RecentRate;

  /** @param now milliseconds from any origin; never goes back. */
  constructor(now: () => number, events: MeterEvents) {
    this.#now = now;
    this.#events = events;
    this.#latency = new RecentQuantiles(now);
    this.#rate = new RecentRate(now);
  }

  coordinator(inner: CommitCoordinator): CommitCoordinator {
    return {
      commit: async (id, requests) => {
        const begun = this.#now();
        const result = await inner.commit(id, requests);
        this.#note(result, this.#now() - begun);
        return result;
      },
      recover: (id, participants) => inner.recover(id, participants),
    };
  }

  shards(inner: ShardAccess): ShardAccess {
    return {
      placement: inner.placement,
      ask: async (shard, request, patienceMs) => {
        const answer = await inner.ask(shard, request, patienceMs);
        if (request.kind === "validate") this.#noteValidation(answer);
        return answer;
      },
    };
  }

  read(): TransactionCounters {
    return {
      committed: this.#committed,
      readOnly: this.#readOnly,
      refused: Object.fromEntries([...this.#refused].sort(([a], [b]) => (a < b ? -1 : 1))),
      committedPerSecond: this.#rate.read(),
      latencyMs: this.#latency.read(),
    };
  }

  #note(result: CommitResult, milliseconds: number): void {
    const name = nameOf(result);
    this.#events.onCommit(name, milliseconds);
    if (name === "committed") {
      this.#committed++;
      this.#rate.add();
      this.#latency.record(milliseconds);
    } else this.#refuse(name);
  }

  #noteValidation(answer: Answer): void {
    const isValid = answer.kind === "valid";
    this.#events.onValidation(isValid);
    if (isValid) this.#readOnly++;
    else this.#refuse("outdated");
  }

  #refuse(name: string): void {
    this.#refused.set(name, (this.#refused.get(name) ?? 0) + 1);
  }
}

/** One of the few words that metrics and people tell results apart by. */
function nameOf(result: CommitResult): string {
  switch (result.kind) {
    case "committed":
      return "committed";
    case "inDoubt":
      return "in-doubt";
    case "expired":
      return "expired";
    default: {
      const { reason } = result;
      if (reason.kind !== "vote" && reason.kind !== "refused") return reason.kind;
      return reason.reason.kind === "conflict" ? reason.reason.conflict : reason.reason.kind;
    }
  }
}
