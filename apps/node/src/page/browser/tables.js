/**
 * The members and the shards, in words and numbers.
 *
 * @typedef {import("../../node/node-status.ts").NodeStatus} NodeStatus
 * @typedef {import("../../node/node-status.ts").MemberStatus} MemberStatus
 * @typedef {import("../../node/node-status.ts").ShardStatusReport} ShardStatusReport
 */
import { html } from "lit-html";
import { bytes, count, plural } from "./format.js";

const LINKS = { self: "this node", up: "connected", connecting: "connecting", down: "down" };

/**
 * @param {NodeStatus} status
 * @param {(node: number | null) => string} colorOf
 */
export function membersTable({ members, shards, node }, colorOf) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of nodes">
    <table class="members">
      <thead>
        <tr><th scope="col">Node</th><th scope="col">Address</th><th scope="col">Zone</th><th scope="col" class="number">Leads</th><th scope="col" class="number">Replicas</th><th scope="col">Link</th></tr>
      </thead>
      <tbody>
        ${members.map((member) => {
          const leads = shards.filter(({ leader }) => leader === member.node).length;
          const replicas = shards.filter((shard) => shard.replicas.includes(member.node)).length;
          return html`<tr class=${isMember(member) ? "" : "faint"}>
            <th scope="row">${badge(member.node, colorOf)} ${member.state === "active" ? "" : html`<span class="tag">${member.state}</span>`}</th>
            <td>${member.node === node ? html`${member.address}` : html`<a href=${`//${member.address}/`}>${member.address}</a>`}</td>
            <td>${member.zone ?? "–"}${member.weight === 1 ? "" : html` <span class="faint">×${member.weight}</span>`}</td>
            <td class="number">${leads}</td>
            <td class="number">${replicas}</td>
            <td>${link(member)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

/**
 * Whether the node takes part, be it for a while yet.
 *
 * @param {MemberStatus} member
 */
export function isMember({ state }) {
  return state === "active" || state === "leaving";
}

/** @param {MemberStatus} member */
function link({ link, linkError, queuedBytes }) {
  const level = link === "down" ? "bad" : link === "connecting" ? "warn" : "good";
  return html`<span class="state ${level}">${LINKS[link]}</span>${queuedBytes > 65_536 ? html` <span class="faint">${bytes(queuedBytes)} waiting</span>` : ""}
    ${linkError === null ? "" : html`<span class="reason">${linkError}</span>`}`;
}

/**
 * @param {NodeStatus} status
 * @param {(node: number | null) => string} colorOf
 * @param {boolean} isTroubledOnly
 * @param {number | undefined} selected
 */
export function shardsTable({ shards, node }, colorOf, isTroubledOnly, selected) {
  const shown = isTroubledOnly ? shards.filter((shard) => troublesOf(shard).length > 0) : shards;
  if (shown.length === 0) return html`<p class="empty">Every shard that this node sees is well.</p>`;
  return html`<div class="scroll tall" tabindex="0" role="region" aria-label="Table of shards">
    <table class="shards">
      <thead>
        <tr>
          <th scope="col" class="number">Shard</th><th scope="col">Leader</th><th scope="col">Replicas</th><th scope="col">Here</th>
          <th scope="col" class="number">Applied</th><th scope="col" class="number">Lag</th><th scope="col">Followers behind</th>
          <th scope="col" class="number">In doubt</th><th scope="col">State</th>
        </tr>
      </thead>
      <tbody>${shown.map((shard) => shardRow(shard, node, colorOf, shard.shard === selected))}</tbody>
    </table>
  </div>`;
}

/**
 * @param {ShardStatusReport} shard
 * @param {number} self
 * @param {(node: number | null) => string} colorOf
 * @param {boolean} isSelected
 */
function shardRow(shard, self, colorOf, isSelected) {
  const { leader, replicas, here } = shard;
  const troubles = troublesOf(shard);
  return html`<tr class=${isSelected ? "selected" : ""}>
    <th scope="row" class="number">${shard.shard}</th>
    <td>${leader === null ? html`<span class="state ${here === null ? "none" : "bad"}">unknown</span>` : badge(leader, colorOf)}</td>
    <td>${replicas.map((node) => badge(node, colorOf, node !== leader))}</td>
    <td>${here === null ? html`<span class="faint">–</span>` : here.role}</td>
    <td class="number">${here === null ? "–" : count(here.applied)}</td>
    <td class="number ${here !== null && here.lag > 100 ? "warn" : ""}">${here === null ? "–" : count(here.lag)}</td>
    <td>${here === null || here.followers.length === 0 ? html`<span class="faint">–</span>` : followers(here.followers)}</td>
    <td class="number">${here === null ? "–" : count(here.inDoubt)}</td>
    <td>${troubles.length > 0 ? html`<span class="state bad">${troubles.join(", ")}</span>` : here?.fetching != null ? html`<span class="state warn">${fetching(here.fetching)}</span>` : html`<span class="state ${here === null ? "none" : "good"}">${here === null ? (replicas.includes(self) ? "not open" : "elsewhere") : "well"}</span>`}</td>
  </tr>`;
}

/** @param {readonly { readonly node: number, readonly lag: number }[]} followers */
function followers(followers) {
  return followers.map(
    ({ node, lag }, i) =>
      html`${i > 0 ? ", " : ""}<span class=${lag > 100 ? "warn" : ""}>${node}: ${count(lag)}</span>`,
  );
}

/** @param {{ readonly received: number, readonly size: number }} image */
function fetching({ received, size }) {
  const share = size > 0 ? ` ${Math.floor((100 * received) / size)} %` : "";
  return `fetching an image${share}`;
}

/**
 * What somebody should look at.
 *
 * @param {ShardStatusReport} shard
 * @returns {string[]}
 */
export function troublesOf({ leader, here }) {
  if (here === null) return [];
  const troubles = [];
  if (here.fencedBecause !== null) troubles.push(`fenced: ${here.fencedBecause}`);
  else if (leader === null) troubles.push("no leader known");
  if (here.lag > 1000) troubles.push("far behind");
  const behind = here.followers.filter(({ lag }) => lag > 1000);
  if (behind.length > 0) troubles.push(`${plural(behind.length, "follower")} far behind`);
  return troubles;
}

/**
 * @param {number} node
 * @param {(node: number | null) => string} colorOf
 * @param {boolean} [isHollow]
 */
export function badge(node, colorOf, isHollow = false) {
  return html`<span class=${isHollow ? "badge hollow" : "badge"} style=${`--color:${colorOf(node)}`}>${node}</span>`;
}
