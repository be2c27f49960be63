/**
 * Attempts that were refused, by kind, as bars.
 *
 * @typedef {import("../../node/node-status.ts").NodeStatus} NodeStatus
 */
import { html } from "lit-html";
import { count } from "./format.js";

/** @type {Readonly<Record<string, string>>} */
const NAMES = {
  "write-write": "Write–write conflict",
  "read-write": "Read–write conflict",
  phantom: "Phantom",
  version: "Version mismatch",
  busy: "Key held by a prepared transaction",
  "snapshot-too-old": "Snapshot too old",
  "timestamp-limit": "Timestamps at their limit",
  unmergeable: "Rows do not merge",
  timeout: "No vote in time",
  "in-doubt": "Outcome in doubt",
  expired: "Outcome expired",
};

/** @param {NodeStatus} status */
export function conflicts({ transactions }) {
  const kinds = Object.entries(transactions.refused).sort(([, a], [, b]) => b - a);
  if (kinds.length === 0)
    return html`<p class="empty">No attempt has been refused since the node was started.</p>`;
  const attempts = transactions.committed + kinds.reduce((sum, [, number]) => sum + number, 0);
  const most = kinds[0]?.[1] ?? 1;
  return html`<ul class="bars">
    ${kinds.map(
      ([kind, number]) => html`<li>
        <span class="what" title=${kind}>${NAMES[kind] ?? kind}</span>
        <span class="how-many">${count(number)} <span class="faint">${share(number / attempts)}</span></span>
        <span class="bar" aria-hidden="true"><i style=${`width:${(100 * number) / most}%`}></i></span>
      </li>`,
    )}
  </ul>
  <p class="note">Shares are of all attempts. Clients run most of these again by themselves.</p>`;
}

/** @param {number} share */
function share(share) {
  return share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`;
}
