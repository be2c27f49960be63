// An anomaly of transactions as a picture: the transactions from top to bottom in the order of the cycle, each edge as an arrow with
// its reason beside it, and the edge that closes the circle at the left, in the way a person tells it.
import type { Dependency, DependencyKind } from "../checkers/transactions/anomaly.ts";
import { describeMicroOp, describePlace, operationName } from "../history/describe.ts";
import type { History, Key, MicroOp, ScanRange } from "../history/operation.ts";
import {
  arrow,
  LINE_HEIGHT,
  type Point,
  picture,
  rectangle,
  shortened,
  textAt,
  widthOf,
  wrapped,
} from "./svg.ts";

const COLOURS: Record<DependencyKind, string> = {
  ww: "#8a3ffc",
  wr: "#0f62fe",
  rw: "#da1e28",
  "predicate-rw": "#da1e28",
  process: "#6f6f6f",
  realtime: "#007d79",
};

const NAMES: Record<DependencyKind, string> = {
  ww: "ww (write, overwritten)",
  wr: "wr (write, read)",
  rw: "rw (read, overwritten)",
  "predicate-rw": "rw over a range",
  process: "order of the process",
  realtime: "real time",
};

const MARGIN = 24;
const LEFT = 120;
const BOX_CHARACTERS = 84;
const REASON_CHARACTERS = 70;

/** An anomaly, or anything else that some transactions show together. */
export interface Drawable {
  readonly kind: string;
  /** Positions in the history; of a cycle in its order. */
  readonly transactions: readonly number[];
  readonly cycle: readonly Dependency[];
  readonly key?: Key;
  readonly explanation: string;
}

/** A box with a transaction in it. */
interface Box {
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly lines: readonly { readonly text: string; readonly isOfCycle: boolean }[];
}

/** The picture of an anomaly as an SVG document. */
export function drawAnomaly(anomaly: Drawable, history: History): string {
  const keys = new Set<Key>(anomaly.cycle.flatMap(({ key }) => (key === undefined ? [] : [key])));
  if (anomaly.key !== undefined) keys.add(anomaly.key);
  const title = `${anomaly.kind}: ${anomaly.transactions.map(operationName).join(", ")}`;
  const introduction =
    anomaly.cycle.length === 0
      ? wrapped(anomaly.explanation, 100)
      : [contradiction(anomaly)].flatMap((line) => wrapped(line, 100));
  const top = MARGIN + 14 + (introduction.length + 1) * LINE_HEIGHT;
  const boxes = stack(anomaly, history, keys, top);
  const width = LEFT + 2 * MARGIN + widthOf("x".repeat(BOX_CHARACTERS));
  const content = [
    textAt(title, { x: MARGIN, y: MARGIN + 8 }, 'font-size="16" font-weight="bold"'),
    ...introduction.map((line, at) => textAt(line, { x: MARGIN, y: MARGIN + 14 + (at + 1) * LINE_HEIGHT })),
    ...boxes.flatMap((box) => drawBox(box, history)),
  ];
  const last = boxes.at(-1)!;
  let bottom = last.top + last.height + MARGIN;
  for (const [at, edge] of anomaly.cycle.entries()) {
    const next = boxes[at + 1];
    content.push(...(next === undefined ? [] : drawStep(edge, boxes[at]!, next)));
  }
  const closing = anomaly.cycle.at(-1);
  if (closing !== undefined) {
    const reason = reasonLines(closing);
    content.push(...drawClosing(closing, boxes[0]!, last, reason));
    bottom += reason.length * LINE_HEIGHT + MARGIN / 2;
  }
  return picture(width, bottom, Object.values(COLOURS), content);
}

function contradiction(anomaly: Drawable): string {
  return anomaly.explanation.split("\n").at(-1)!;
}

/** Boxes below each other, with room for the reasons between them. */
function stack(anomaly: Drawable, history: History, keys: ReadonlySet<Key>, top: number): Box[] {
  const boxes: Box[] = [];
  let y = top;
  for (const [at, index] of anomaly.transactions.entries()) {
    const lines = linesOf(history[index]!.ops, keys);
    const height = (lines.length + 1) * LINE_HEIGHT + 14;
    boxes.push({ index, top: y, height, lines });
    const edge = anomaly.cycle[at];
    const gap =
      edge === undefined || at + 1 === anomaly.transactions.length
        ? MARGIN / 2
        : reasonLines(edge).length * LINE_HEIGHT + 30;
    y += height + gap;
  }
  return boxes;
}

/** Micro-operations, those on the keys of the cycle marked; runs of others are left out when there are many. */
function linesOf(ops: readonly MicroOp[], keys: ReadonlySet<Key>): Box["lines"] {
  const isOfCycle = (op: MicroOp): boolean =>
    op[0] === "scan" ? [...keys].some((key) => isInRange(key, op[1])) : keys.has(op[1]);
  const shown = ops.length <= 8 ? ops : ops.filter(isOfCycle).slice(0, 12);
  const lines = shown.map((op) => ({
    text: shortened(describeMicroOp(op), BOX_CHARACTERS - 4),
    isOfCycle: isOfCycle(op),
  }));
  const left = ops.length - shown.length;
  return left === 0 ? lines : [...lines, { text: `… and ${left} more steps`, isOfCycle: false }];
}

function isInRange(key: Key, range: ScanRange): boolean {
  if ("prefix" in range) return String(key).startsWith(range.prefix);
  return String(key) >= (range.from ?? "") && (range.to === undefined || String(key) < range.to);
}

function reasonLines(edge: Dependency): string[] {
  return wrapped(edge.explanation, REASON_CHARACTERS);
}

function drawBox({ index, top, height, lines }: Box, history: History): string[] {
  const width = widthOf("x".repeat(BOX_CHARACTERS));
  const at = (line: number): Point => ({ x: LEFT + MARGIN + 12, y: top + 6 + (line + 1) * LINE_HEIGHT - 4 });
  return [
    rectangle({ x: LEFT + MARGIN, y: top }, width, height, 'rx="6" fill="#f4f4f4" stroke="#8d8d8d"'),
    textAt(operationName(index), at(0), 'font-weight="bold"'),
    textAt(
      describePlace(history[index]!),
      { ...at(0), x: at(0).x + widthOf(`${operationName(index)}  `) },
      'fill="#6f6f6f"',
    ),
    ...lines.map((line, number) =>
      textAt(
        line.text,
        { ...at(number + 1), x: at(0).x + 14 },
        line.isOfCycle ? 'font-weight="bold"' : 'fill="#6f6f6f"',
      ),
    ),
  ];
}

/** An edge from a box to the one below it. */
function drawStep(edge: Dependency, from: Box, to: Box): string[] {
  const x = LEFT + MARGIN + 30;
  const start = from.top + from.height;
  return [
    arrow(
      [
        { x, y: start },
        { x, y: to.top },
      ],
      COLOURS[edge.kind],
    ),
    ...drawReason(edge, { x: x + 14, y: start + 20 }),
  ];
}

/** The edge from the last box back to the first, around the left side. */
function drawClosing(edge: Dependency, first: Box, last: Box, reason: readonly string[]): string[] {
  const left = MARGIN + 30;
  const under = last.top + last.height + 12 + reason.length * LINE_HEIGHT;
  const points: Point[] = [
    { x: LEFT + MARGIN + 30, y: last.top + last.height },
    { x: LEFT + MARGIN + 30, y: under },
    { x: left, y: under },
    { x: left, y: first.top + LINE_HEIGHT },
    { x: LEFT + MARGIN, y: first.top + LINE_HEIGHT },
  ];
  return [
    arrow(points, COLOURS[edge.kind], 'stroke-dasharray="6 3"'),
    ...drawReason(edge, { x: LEFT + MARGIN + 44, y: last.top + last.height + 20 }),
  ];
}

/** The kind of the edge, then why it is there. */
function drawReason(edge: Dependency, { x, y }: Point): string[] {
  const colour = COLOURS[edge.kind];
  const name = edge.kind === "predicate-rw" ? "rw" : edge.kind;
  const indent = widthOf(`${name}  `);
  return [
    `<g><title>${NAMES[edge.kind]}</title>`,
    textAt(name, { x, y }, `fill="${colour}" font-weight="bold"`),
    ...reasonLines(edge).map((line, at) =>
      textAt(line, { x: x + indent, y: y + at * LINE_HEIGHT }, `fill="${colour}"`),
    ),
    "</g>",
  ];
}
