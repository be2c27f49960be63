/** A chart of the last minutes: lines over time, with a scale, and a text of the same for those who do not see it. */
import { html, svg } from "lit-html";
import { SPAN_MS } from "./history.js";

const WIDTH = 600;
const HEIGHT = 160;
/** Two samples further apart than this have a gap between them. */
const GAP_MS = 6000;

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} color
 * @property {boolean} [isFilled]
 * @property {readonly { readonly at: number, readonly value: number | null }[]} points
 *
 * @param {object} chart
 * @param {string} chart.title
 * @param {readonly Line[]} chart.lines
 * @param {(value: number) => string} chart.format
 * @param {number} chart.now
 */
export function chart({ title, lines, format, now }) {
  const top = niceCeiling(
    Math.max(0, ...lines.flatMap(({ points }) => points.map(({ value }) => value ?? 0))),
  );
  const last = lines.map(({ name, points }) => `${name} ${format(points.at(-1)?.value ?? 0)}`).join(", ");
  return html`<figure class="chart">
    <figcaption>
      <h2>${title}</h2>
      <ul class="legend">
        ${lines.map(({ name, color, points }) => {
          const value = points.at(-1)?.value;
          return html`<li><i style=${`background:${color}`}></i>${name} <b>${value == null ? "–" : format(value)}</b></li>`;
        })}
      </ul>
    </figcaption>
    <div class="plot">
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${`${title}, last two minutes. Now: ${last}.`}>
        ${[0, 0.5, 1].map((share) => svg`<line class="grid" x1="0" x2=${WIDTH} y1=${yOf(share)} y2=${yOf(share)} />`)}
        ${lines.map((line) => drawLine(line, top, now))}
      </svg>
      <span class="scale top" aria-hidden="true">${format(top)}</span>
      <span class="scale middle" aria-hidden="true">${format(top / 2)}</span>
    </div>
    <div class="times" aria-hidden="true"><span>2 min ago</span><span>1 min</span><span>now</span></div>
  </figure>`;
}

/**
 * @param {Line} line
 * @param {number} top
 * @param {number} now
 */
function drawLine({ points, color, isFilled }, top, now) {
  return runsOf(points).map((run) => {
    const coordinates = run.map(({ at, value }) => [xOf(at, now), yOf(value / top)]);
    const path = coordinates
      .map(([x, y], i) => `${i === 0 ? "M" : "L"}${x?.toFixed(1)} ${y?.toFixed(1)}`)
      .join("");
    const first = coordinates[0]?.[0] ?? 0;
    const end = coordinates.at(-1)?.[0] ?? 0;
    return svg`
      ${isFilled ? svg`<path class="area" style=${`fill:${color}`} d=${`${path}L${end} ${HEIGHT}L${first} ${HEIGHT}Z`} />` : ""}
      <path class="line" style=${`stroke:${color}`} d=${path} />`;
  });
}

/**
 * Stretches without a gap.
 *
 * @param {Line["points"]} points
 * @returns {{ at: number, value: number }[][]}
 */
function runsOf(points) {
  /** @type {{ at: number, value: number }[][]} */
  const runs = [];
  let isOpen = false;
  for (const { at, value } of points) {
    const run = runs.at(-1);
    if (value === null) isOpen = false;
    else if (isOpen && run !== undefined && at - (run.at(-1)?.at ?? at) < GAP_MS) run.push({ at, value });
    else {
      runs.push([{ at, value }]);
      isOpen = true;
    }
  }
  return runs;
}

/**
 * @param {number} at
 * @param {number} now
 */
function xOf(at, now) {
  return WIDTH * (1 - (now - at) / SPAN_MS);
}

/** @param {number} share */
function yOf(share) {
  return HEIGHT - 2 - share * (HEIGHT - 8);
}

/**
 * The next of 1, 2, 5, 10, 20, 50, …, so that the scale does not jump with every sample.
 *
 * @param {number} value
 */
export function niceCeiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return (
    /** @type {number} */ ([1, 2, 5, 10].find((step) => step * power >= value * 1.02 || step === 10)) * power
  );
}
