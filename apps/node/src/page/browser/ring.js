/**
 * The shards as a ring: an outer band in the colour of who leads each, and within it a band a replica. Hatched are shards that have a
 * replica here and that nobody is known to lead; those of which there is no replica here and whose leader is not known yet are grey. The table of
 * shards says the same in words.
 *
 * @typedef {import("../../node/node-status.ts").NodeStatus} NodeStatus
 * @typedef {import("../../node/node-status.ts").ShardStatusReport} ShardStatusReport
 */
import { html, svg } from "lit-html";
import { plural } from "./format.js";
import { isMember } from "./tables.js";

const SIZE = 320;
const CENTRE = SIZE / 2;
const OUTER = 156;
const LEADER_BAND = 26;
const REPLICA_BAND = 9;
const BAND_GAP = 3;

/**
 * @param {NodeStatus} status
 * @param {(node: number | null) => string} colorOf
 * @param {number | undefined} selected
 * @param {(shard: number | undefined) => void} select
 */
export function ring(status, colorOf, selected, select) {
  const { shards, members } = status;
  const leaderless = shards.filter(isLeaderless).length;
  const alive = members.filter(isMember).length;
  const summary = `${plural(shards.length, "shard")} on ${plural(alive, "node")}${leaderless > 0 ? `, ${leaderless} without a known leader` : ""}`;
  const shown = shards.find(({ shard }) => shard === selected);
  return html`<div class="ring" @pointerleave=${() => select(undefined)}>
    <svg viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label=${`Ring: ${summary}.`}>
      <defs>
        <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="6" height="6" class="hatch-ground" />
          <line x1="0" y1="0" x2="0" y2="6" class="hatch-line" />
        </pattern>
      </defs>
      ${shards.map((shard, i) => drawShard(shard, i, shards.length, colorOf, selected === shard.shard, select))}
    </svg>
    <div class="hub" aria-hidden="true">
      ${
        shown === undefined
          ? html`<b>${shards.length}</b><span>${shards.length === 1 ? "shard" : "shards"}</span><span>${plural(alive, "node")}</span>`
          : html`<span>shard</span><b>${shown.shard}</b>
              <span>${shown.leader === null ? "no leader known" : `led by node ${shown.leader}`}</span>
              <span>on ${shown.replicas.join(", ")}</span>`
      }
    </div>
  </div>`;
}

/**
 * Whether nobody is known to lead a shard where somebody should be.
 *
 * @param {ShardStatusReport} report
 */
function isLeaderless({ leader, here }) {
  return leader === null && here !== null;
}

/**
 * @param {ShardStatusReport} report
 * @param {number} index
 * @param {number} count
 * @param {(node: number | null) => string} colorOf
 * @param {boolean} isSelected
 * @param {(shard: number | undefined) => void} select
 */
function drawShard(report, index, count, colorOf, isSelected, select) {
  const { shard, leader, replicas } = report;
  const gap = count > 1 ? Math.min(0.02, 1.2 / count) : 0;
  const from = (index / count) * 2 * Math.PI + gap;
  const to = ((index + 1) / count) * 2 * Math.PI - gap;
  const fill = isLeaderless(report) ? "url(#hatch)" : colorOf(leader);
  const others = replicas.filter((node) => node !== leader);
  let radius = OUTER - LEADER_BAND - BAND_GAP;
  return svg`<g class=${isSelected ? "arc selected" : "arc"} @pointerenter=${() => select(shard)} @click=${() => select(shard)}>
    <path d=${band(OUTER, OUTER - LEADER_BAND, from, to)} style=${`fill:${fill}`} />
    ${others.map((node) => {
      const path = band(radius, radius - REPLICA_BAND, from, to);
      radius -= REPLICA_BAND + BAND_GAP;
      return svg`<path class="replica" d=${path} style=${`fill:${colorOf(node)}`} />`;
    })}
    <title>${`Shard ${shard}: ${leader === null ? "no leader known" : `led by node ${leader}`}; replicas on ${replicas.join(", ")}`}</title>
  </g>`;
}

/**
 * A piece of a ring, clockwise from the top.
 *
 * @param {number} outer
 * @param {number} inner
 * @param {number} from
 * @param {number} to
 * @returns {string}
 */
function band(outer, inner, from, to) {
  /** @param {number} radius @param {number} angle */
  const at = (radius, angle) =>
    `${(CENTRE + radius * Math.sin(angle)).toFixed(2)} ${(CENTRE - radius * Math.cos(angle)).toFixed(2)}`;
  if (to - from > 2 * Math.PI - 0.001) {
    // A whole turn in two halves: an arc cannot end where it begins.
    return `${band(outer, inner, 0, Math.PI)}${band(outer, inner, Math.PI, 2 * Math.PI)}`;
  }
  const large = to - from > Math.PI ? 1 : 0;
  return `M${at(outer, from)}A${outer} ${outer} 0 ${large} 1 ${at(outer, to)}L${at(inner, to)}A${inner} ${inner} 0 ${large} 0 ${at(inner, from)}Z`;
}
