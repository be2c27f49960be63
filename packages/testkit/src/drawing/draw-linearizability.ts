// A history that is not linearizable as a picture: one row a process, time from left to right, the operation that fits nowhere in
// red, those that were in flight with it in yellow, and beneath the last steps of the longest order that can be explained.
import type { LinearizabilityFailure } from "../checkers/linearizability/linearizability.ts";
import { describeMicroOp, describePlace, operationName } from "../history/describe.ts";
import type { History, MicroOp } from "../history/operation.ts";
import { LINE_HEIGHT, picture, rectangle, shortened, textAt, widthOf, wrapped } from "./svg.ts";

const MARGIN = 24;
const LABEL_WIDTH = 110;
const ROW_HEIGHT = 34;
const PLOT_WIDTH = 860;
/** Operations around the failure that are drawn. */
const SHOWN_MAX = 24;

/** The picture of a failure as an SVG document. */
export function drawLinearizabilityFailure(failure: LinearizabilityFailure, history: History): string {
  const shown = around(failure);
  const processes = [...new Set(shown.map((index) => history[index]!.process))].sort((a, b) => a - b);
  const introduction = failure.explanation.split("\n").flatMap((line) => wrapped(line, 128));
  const top = MARGIN + 14 + (introduction.length + 1) * LINE_HEIGHT;
  const scale = rankScale(shown, history);
  const bars = shown.map((index) =>
    drawBar(index, failure, history, scale, top + processes.indexOf(history[index]!.process) * ROW_HEIGHT),
  );
  const labels = processes.map((process, row) =>
    textAt(`process ${process}`, { x: MARGIN, y: top + row * ROW_HEIGHT + 18 }, 'fill="#6f6f6f"'),
  );
  const orderTop = top + processes.length * ROW_HEIGHT + MARGIN;
  const order = orderLines(failure, history);
  const content = [
    textAt(
      `Not linearizable: key ${JSON.stringify(failure.key)}`,
      { x: MARGIN, y: MARGIN + 8 },
      'font-size="16" font-weight="bold"',
    ),
    ...introduction.map((line, at) => textAt(line, { x: MARGIN, y: MARGIN + 14 + (at + 1) * LINE_HEIGHT })),
    ...labels,
    ...bars.flat(),
    ...order.map((line, at) => textAt(line, { x: MARGIN, y: orderTop + at * LINE_HEIGHT })),
  ];
  return picture(2 * MARGIN + LABEL_WIDTH + PLOT_WIDTH, orderTop + order.length * LINE_HEIGHT, [], content);
}

/** The blocked operation, what was in flight, and the end of the longest order. */
function around(failure: LinearizabilityFailure): number[] {
  const near = [failure.blocked, ...failure.concurrent].slice(0, SHOWN_MAX / 2);
  const before = failure.longest.slice(-(SHOWN_MAX - near.length));
  return [...new Set([...before, ...near])];
}

/** Times by rank rather than by length, so that short and long operations can both be read. */
function rankScale(shown: readonly number[], history: History): (time: number | undefined) => number {
  const times = shown.flatMap((index) => {
    const { invoke, complete, outcome } = history[index]!;
    return outcome === "unknown" || complete === undefined ? [invoke] : [invoke, complete];
  });
  const ranks = new Map([...new Set(times)].sort((a, b) => a - b).map((time, rank) => [time, rank]));
  const step = PLOT_WIDTH / Math.max(1, ranks.size);
  return (time) => MARGIN + LABEL_WIDTH + (time === undefined ? ranks.size : ranks.get(time)!) * step;
}

function drawBar(
  index: number,
  failure: LinearizabilityFailure,
  history: History,
  scale: (time: number | undefined) => number,
  y: number,
): string[] {
  const { invoke, complete, outcome, ops } = history[index]!;
  const x = scale(invoke);
  const width = Math.max(6, scale(outcome === "unknown" ? undefined : complete) - x - 2);
  const fill =
    index === failure.blocked ? "#ffb3b8" : failure.concurrent.includes(index) ? "#fddc69" : "#d0e2ff";
  const stroke = index === failure.blocked ? "#da1e28" : "#8d8d8d";
  const isOpen = outcome === "unknown" ? ' stroke-dasharray="4 3"' : "";
  const label = shortened(withoutKey(ops[0]!), Math.max(4, Math.floor(width / widthOf("x"))));
  const title = `${operationName(index)} (${describePlace(history[index]!)}): ${ops.map(describeMicroOp).join(" ")}`;
  return [
    `<g><title>${title.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)}</title>`,
    rectangle({ x, y }, width, ROW_HEIGHT - 8, `rx="4" fill="${fill}" stroke="${stroke}"${isOpen}`),
    widthOf(label) <= width ? textAt(label, { x: x + (width - widthOf(label)) / 2, y: y + 17 }) : "",
    "</g>",
  ];
}

/** All operations of the picture are on one key, which its title names. */
function withoutKey(op: MicroOp): string {
  return op[0] === "scan" ? describeMicroOp(op) : describeMicroOp(op).replace(` ${op[1]}`, "");
}

function orderLines(failure: LinearizabilityFailure, history: History): string[] {
  const last = failure.longest.slice(-8);
  const left = failure.longest.length - last.length;
  const steps = last.map((index) => `${operationName(index)} ${withoutKey(history[index]!.ops[0]!)}`);
  const blocked = history[failure.blocked]!;
  return [
    "The longest order that can be explained ends:",
    ...wrapped([...(left > 0 ? [`… ${left} before`] : []), ...steps].join("  →  "), 128),
    `and then ${operationName(failure.blocked)} "${withoutKey(blocked.ops[0]!)}" is impossible.`,
  ];
}
