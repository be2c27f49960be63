/** What all pictures have in common: a heading that says where the figures come from, and SVG text that is the same each time. */
import type { Provenance } from "./provenance.ts";

export function heading(text: string, { command, machine, versions, date, load }: Provenance) {
  const subtext = `${command} · ${date} · ${machine} · ${load.text}\n${versions.join(" · ")}`;
  return {
    text,
    subtext,
    left: 16,
    top: 10,
    textStyle: { fontSize: 16 },
    subtextStyle: { fontSize: 11, lineHeight: 15 },
  };
}

/** The document with a title, for those who have it read to them. */
export function titled(svg: string, title: string): string {
  return `${withoutStyles(svg).replace(">", `><title>${title}</title>`)}\n`;
}

/** ECharts numbers what it draws across all charts of a process, and adds rules for hovering, which a picture
 * does not need. */
function withoutStyles(svg: string): string {
  return svg
    .replace(/<style\b[\s\S]*?<\/style>/g, "")
    .replace(/ class="zr[^"]*"/g, "")
    .replace(/ ecmeta_\w+="[^"]*"/g, "")
    .replace(/zr\d+-c(\d+)/g, "clip$1");
}
