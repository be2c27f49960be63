/**
 * What the node has told over the last minutes: counters become rates here. A node that was started again begins anew, and a gap in
 * the answers stays a gap.
 *
 * @typedef {import("../../node/node-status.ts").NodeStatus} NodeStatus
 * @typedef {import("../../node/node-status.ts").Quantiles} Quantiles
 *
 * @typedef {object} Sample
 * @property {number} at when, by the node's clock
 * @property {number | null} commits a second, since the sample before
 * @property {number | null} conflicts a second, since the sample before
 * @property {Quantiles | null} latency
 * @property {Quantiles | null} sync
 */

/** How far back the charts go. */
export const SPAN_MS = 120_000;

export class History {
  /** @type {Sample[]} */
  samples = [];
  /** @type {NodeStatus | undefined} */
  latest = undefined;

  /** @param {NodeStatus} status */
  add(status) {
    const before = this.latest;
    if (before !== undefined && (before.startedAt !== status.startedAt || before.node !== status.node))
      this.samples = [];
    const previous = before?.startedAt === status.startedAt ? before : undefined;
    if (previous !== undefined && status.now <= previous.now) return;
    this.latest = status;
    const seconds = previous === undefined ? 0 : (status.now - previous.now) / 1000;
    /** @param {(status: NodeStatus) => number} counter */
    const rate = (counter) =>
      previous === undefined ? null : Math.max(0, counter(status) - counter(previous)) / seconds;
    this.samples.push({
      at: status.now,
      commits: rate(({ transactions }) => transactions.committed),
      conflicts: rate(refusals),
      latency: status.transactions.latencyMs,
      sync: status.storage.syncMs,
    });
    this.samples = this.samples.filter(({ at }) => at > status.now - SPAN_MS);
  }
}

/**
 * All attempts that were refused.
 *
 * @param {NodeStatus} status
 */
export function refusals({ transactions }) {
  return Object.values(transactions.refused).reduce((sum, number) => sum + number, 0);
}
