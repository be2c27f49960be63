// A little SVG: shapes as text, with measures good enough to lay out boxes around monospaced lines.

/** Width of a character and distance of lines, in pixels, for the font size used throughout. */
export const CHARACTER_WIDTH = 7.3;
export const LINE_HEIGHT = 18;
const FONT_SIZE = 12;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/[^\P{C}\n]/gu, "�");
}

/** Width of a line of text. */
export function widthOf(text: string): number {
  return text.length * CHARACTER_WIDTH;
}

/** The text cut in the middle to at most `length` characters. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const half = Math.floor((length - 3) / 2);
  return `${text.slice(0, length - 3 - half)} … ${text.slice(text.length - half)}`;
}

/** The text in lines of at most `length` characters, broken at blanks. */
export function wrapped(text: string, length: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > length) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => shortened(line, length));
}

/** One line of text; `y` is the baseline. */
export function textAt(text: string, { x, y }: Point, style = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" ${style}>${escapeXml(text)}</text>`;
}

export function rectangle({ x, y }: Point, width: number, height: number, style: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" ${style}/>`;
}

/** A line through the points, with rounded corners and an arrow head at its end in the colour of the line. */
export function arrow(points: readonly Point[], colour: string, style = ""): string {
  const [start, ...rest] = points;
  const corners = rest.slice(0, -1).map((corner, at) => {
    const before = towards(corner, points[at]!, 8);
    const after = towards(corner, rest[at + 1]!, 8);
    return `L${round(before.x)} ${round(before.y)} Q${round(corner.x)} ${round(corner.y)} ${round(after.x)} ${round(after.y)}`;
  });
  const end = rest.at(-1)!;
  const path = [
    `M${round(start!.x)} ${round(start!.y)}`,
    ...corners,
    `L${round(end.x)} ${round(end.y)}`,
  ].join(" ");
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2" marker-end="url(#head-${colour.slice(1)})" ${style}/>`;
}

/** The whole picture, on white so that it can be read in any viewer. */
export function picture(
  width: number,
  height: number,
  colours: readonly string[],
  content: readonly string[],
): string {
  const heads = [...new Set(colours)].map(
    (colour) =>
      `<marker id="head-${colour.slice(1)}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="${colour}"/></marker>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_SIZE}" xml:space="preserve">`,
    `<defs>${heads.join("")}</defs>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...content,
    "</svg>",
    "",
  ].join("\n");
}

function towards(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(distance, length / 2) / length;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
