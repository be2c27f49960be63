/**
 * The page as a function of what is known.
 *
 * @typedef {import("../../node/node-status.ts").NodeStatus} NodeStatus
 *
 * @typedef {object} Actions
 * @property {(shard: number | undefined) => void} select
 * @property {(isTroubledOnly: boolean) => void} filter
 * @property {() => void} togglePause
 *
 * @typedef {object} View
 * @property {NodeStatus} status
 * @property {readonly import("./history.js").Sample[]} samples
 * @property {string | undefined} problem why the last answer is old
 * @property {number} ageMs how old it is
 * @property {boolean} isPaused
 * @property {boolean} isTroubledOnly
 * @property {number | undefined} selected
 */
import { html } from "lit-html";
import { chart } from "./chart.js";
import { nodeColors } from "./colors.js";
import { conflicts } from "./conflicts.js";
import { count, duration, milliseconds, plural, rate } from "./format.js";
import { ring } from "./ring.js";
import { badge, isMember, membersTable, shardsTable, troublesOf } from "./tables.js";

/**
 * @param {View} view
 * @param {Actions} actions
 */
export function page(view, actions) {
  const { status, samples, selected, isTroubledOnly } = view;
  const colorOf = nodeColors(status.members);
  const troubled = status.shards.filter((shard) => troublesOf(shard).length > 0).length;
  return html`
    ${header(view, actions)}
    ${view.problem === undefined ? "" : html`<p class="banner bad" role="alert">${view.problem} What follows is ${duration(view.ageMs)} old.</p>`}
    ${status.problems.length === 0 ? "" : html`<div class="banner warn"><b>Not ready:</b> <ul>${status.problems.map((problem) => html`<li>${problem}</li>`)}</ul></div>`}
    ${tiles(view)}
    <div class="columns">
      <section class="card" aria-labelledby="ring-title">
        <h2 id="ring-title">Ring</h2>
        ${ring(status, colorOf, selected, actions.select)}
        <ul class="legend nodes" aria-hidden="true">
          ${status.members.filter(isMember).map(({ node }) => html`<li>${badge(node, colorOf)} node ${node}</li>`)}
        </ul>
      </section>
      <div class="stack">
        <section class="card">${throughput(samples, status.now)}</section>
        <section class="card">${latency(samples, status.now)}</section>
      </div>
    </div>
    <div class="columns even">
      <section class="card" aria-labelledby="members-title"><h2 id="members-title">Nodes</h2>${membersTable(status, colorOf)}</section>
      <section class="card" aria-labelledby="conflicts-title"><h2 id="conflicts-title">Refused attempts by kind</h2>${conflicts(status)}</section>
    </div>
    <section class="card" aria-labelledby="shards-title">
      <div class="heading">
        <h2 id="shards-title">Shards</h2>
        <label><input type="checkbox" .checked=${isTroubledOnly} @change=${(/** @type {Event & { target: HTMLInputElement }} */ event) => actions.filter(event.target.checked)} />
          only those in trouble (${troubled})</label>
      </div>
      ${shardsTable(status, colorOf, isTroubledOnly, selected)}
    </section>
    <footer>
      As node ${status.node} sees it. Khonsu ${status.version} · placement version ${status.placement.version} ·
      ${status.placement.prefixSeparator === null ? "whole keys are hashed" : html`keys are hashed up to <code>${status.placement.prefixSeparator}</code>`} ·
      shard clocks ${clockText(status)} · <a href="/status.json">JSON</a> · <a href="/metrics">metrics</a>
    </footer>`;
}

/**
 * @param {View} view
 * @param {Actions} actions
 */
function header({ status, problem, isPaused }, { togglePause }) {
  const live =
    problem !== undefined ? ["bad", "no answer"] : isPaused ? ["none", "paused"] : ["good", "live"];
  return html`<header>
    <img src="/page/icon.svg" alt="" width="40" height="40" />
    <div class="title">
      <h1>${status.cluster}</h1>
      <p title=${`cluster id ${status.clusterId}`}>node ${status.node} at ${status.address} · up ${duration(status.now - status.startedAt)}</p>
    </div>
    <div class="standing">
      <span class="pill ${status.ready ? "good" : "warn"}">${status.ready ? "ready" : "not ready"}</span>
      <button type="button" class="pill ${live[0]}" aria-pressed=${isPaused ? "true" : "false"} @click=${togglePause} title=${isPaused ? "Go on" : "Pause"}>
        <i class="dot"></i>${live[1]}
      </button>
    </div>
  </header>`;
}

/** @param {View} view */
function tiles({ status, samples }) {
  const { transactions, shards, storage } = status;
  const refused = samples.at(-1)?.conflicts ?? 0;
  const hosted = shards.flatMap(({ here }) => (here === null ? [] : [here]));
  const inDoubt = hosted.reduce((sum, here) => sum + here.inDoubt, 0);
  const lag = Math.max(0, ...hosted.map(({ lag }) => lag));
  const leads = hosted.filter(({ role }) => role === "leader").length;
  return html`<dl class="tiles">
    ${tile("Commits", `${rate(transactions.committedPerSecond)}/s`, `${count(transactions.committed)} so far, ${count(transactions.readOnly)} only read`)}
    ${tile("Latency, median", milliseconds(transactions.latencyMs?.p50), `p99 ${milliseconds(transactions.latencyMs?.p99)}, worst ${milliseconds(transactions.latencyMs?.max)}`)}
    ${tile("Refused attempts", `${rate(refused)}/s`, "conflicts and the like, run again")}
    ${tile("In doubt", count(inDoubt), "prepared here, not decided", inDoubt > 100)}
    ${tile("Lag", count(lag), `entries, the worst of ${plural(hosted.length, "replica")} here; leads ${leads}`, lag > 1000)}
    ${tile("Synced write", milliseconds(storage.syncMs?.p50), `p99 ${milliseconds(storage.syncMs?.p99)}, ${count(storage.syncs)} so far`)}
  </dl>`;
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} note
 * @param {boolean} [isBad]
 */
function tile(name, value, note, isBad = false) {
  return html`<div class=${isBad ? "tile bad" : "tile"}><dt>${name}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`;
}

/**
 * @param {View["samples"]} samples
 * @param {number} now
 */
function throughput(samples, now) {
  return chart({
    title: "Throughput",
    now,
    format: (value) => `${rate(value)}/s`,
    lines: [
      {
        name: "commits",
        color: "var(--line-1)",
        isFilled: true,
        points: samples.map(({ at, commits }) => ({ at, value: commits })),
      },
      {
        name: "refused",
        color: "var(--line-2)",
        points: samples.map(({ at, conflicts }) => ({ at, value: conflicts })),
      },
    ],
  });
}

/**
 * @param {View["samples"]} samples
 * @param {number} now
 */
function latency(samples, now) {
  /** @param {"p50" | "p95" | "p99"} quantile */
  const points = (quantile) => samples.map(({ at, latency }) => ({ at, value: latency?.[quantile] ?? null }));
  return chart({
    title: "Latency of transactions",
    now,
    format: milliseconds,
    lines: [
      { name: "p50", color: "var(--line-1)", points: points("p50") },
      { name: "p95", color: "var(--line-3)", points: points("p95") },
      { name: "p99", color: "var(--line-2)", points: points("p99") },
    ],
  });
}

/** @param {NodeStatus} status */
function clockText({ clock }) {
  if (clock.aheadMs === null) return "unknown";
  return `${milliseconds(Math.abs(clock.aheadMs))} ${clock.aheadMs < 0 ? "behind" : "ahead"}`;
}
