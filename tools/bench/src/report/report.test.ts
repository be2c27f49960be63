import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chartOf } from "./chart.ts";
import { curvesOf } from "./curves.ts";
import { keep } from "./keep.ts";
import { byTimes, timesFrom, watchLoad } from "./machine-load.ts";
import { madeUpRow } from "./made-up-row.ts";
import { pageOf } from "./page.ts";
import { type Provenance, provenance } from "./provenance.ts";
import { jsonRow, type MeasuredRow } from "./row.ts";

const from: Provenance = {
  command: "pnpm bench core",
  machine: "2 × AMD EPYC",
  versions: ["node 24.0.0"],
  load: { text: "other processes took 3 % of the processors meanwhile", isBusy: false },
  date: "2026-01-02",
};

const row = (name: string, subject: string, rate: number): MeasuredRow =>
  madeUpRow(name, subject, rate, { suite: "core", ops_per_s_min: rate - 1, ops_per_s_max: rate + 1 });

const rows = [row("reads", "khonsu", 250_000), row("reads", "lmdb <b>", 5_000), row("writes", "khonsu", 12)];

test("a row of the JSON file has exactly the agreed fields", () => {
  expect(Object.keys(jsonRow(rows[0]!))).toEqual([
    "suite",
    "case",
    "subject",
    "ops_per_s",
    "p50_us",
    "p99_us",
    "rounds",
    "ratio_to_khonsu",
  ]);
});

test("the chart names every case and subject, where it comes from, and is the same each time", () => {
  const svg = chartOf("core", rows, from);
  expect(svg).toMatch(/^<svg [^>]*xmlns[^>]*><title>core: operations a second<\/title>/);
  for (const text of [
    "reads",
    "writes",
    "khonsu",
    "lmdb &lt;b&gt;",
    "250,000/s",
    "12/s",
    from.machine,
    "other processes took 3 %",
  ])
    expect(svg).toContain(text);
  for (const text of [from.command, from.date, ...from.versions]) expect(svg).toContain(text);
  expect(svg).not.toContain("<style");
  expect(chartOf("core", rows, from)).toBe(svg);
});

test("a longer bar stands for a higher rate", () => {
  const bar = /<path d="M330 [^ ]*l([\d.]+) [^>]*fill="#(?:c8782a|8f979e)"/g;
  const widths = [...chartOf("core", rows, from).matchAll(bar)];
  const [fast, slow, slowest] = widths.map((match) => Number(match[1]));
  expect(fast).toBeGreaterThan(slow!);
  expect(slow).toBeGreaterThan(slowest!);
});

test("also where rates lie around one, every bar begins at the axis", () => {
  const slow = [row("pauses", "khonsu", 2), row("pauses", "etcd", 0.5), row("pauses", "none", 300)];
  const starts = [
    ...chartOf("failover", slow, from).matchAll(/<path d="M([\d.]+) [^>]*fill="#(?:c8782a|8f979e)"/g),
  ];
  expect(starts.map((match) => match[1])).toEqual(["330", "330", "330"]);
});

test("curves are a line for each series, drawn alike each time, and the page shows them", () => {
  const curves = { x: "commits", y: "heap MiB", series: "phase" };
  const details = ["one", "two"].flatMap((phase) =>
    [1, 2, 3].map((commits) => ({ phase, commits, "heap MiB": 5 })),
  );
  const svg = curvesOf("memory", details, curves, from);
  for (const text of ["<title>memory: heap MiB by commits</title>", "one", "two", from.command])
    expect(svg).toContain(text);
  expect(svg.match(/stroke="#c8782a" stroke-width="2"/g)?.length).toBeGreaterThan(0);
  expect(svg.match(/stroke="#4a6f8a" stroke-width="2"/g)?.length).toBeGreaterThan(0);
  expect(curvesOf("memory", details, curves, from)).toBe(svg);
  const page = pageOf("memory", { rows: [], details, curves }, from);
  expect(page).toContain("![heap MiB by commits](memory.svg)");
});

test("the page has the table of rows and one table for the details of each form", () => {
  const details = [{ keys: 3, MiB: 1.5 }, { keys: 4, MiB: 2 }, { note: "a|b" }];
  const page = pageOf("core", { rows, details }, from);
  expect(page).toContain("| reads  | khonsu   | 250,000 (249,999–250,001) |");
  expect(page).toContain("| keys | MiB |\n| ---: | --: |\n|    3 | 1.5 |\n|    4 |   2 |");
  expect(page).toContain("| a\\|b |");
  expect(page).not.toContain("busy");
  const busy = { ...from, load: { text: "much", isBusy: true } };
  expect(pageOf("core", { rows, details }, busy)).toContain("busy");
});

test("the page says what has to be known, and which goals are met", () => {
  const goals = [
    { goal: "10 ×", figure: "12 ×", isMet: true },
    { goal: "20 ×", figure: "12 ×", isMet: false },
  ];
  const page = pageOf("core", { rows, details: [], notes: ["Warm."] }, from, goals);
  expect(page).toContain("\n\nWarm.\n\n");
  expect(page).toContain("| 10 × | 12 ×   | yes |\n| 20 × | 12 ×   | no  |");
});

test("the notes have the goals of all pages in one table, and everything else stays as it is", async () => {
  const directory = await mkdtemp(join(tmpdir(), "bench-keep-"));
  try {
    const notes = "# N\n\n<!-- goals, from the pages -->\n\nold\n\n<!-- end of goals -->\n\nrest\n";
    await writeFile(join(directory, "notes.md"), notes);
    const goal = (figure: string, isMet: boolean) => ({ goal: "at least 10 × a | b", figure, isMet });
    await keep(directory, "core", { rows, details: [] }, from, [goal("12 ×", true)]);
    await keep(directory, "arrow", { rows, details: [] }, from, []);
    const command = "npx -y pnpm@12 bench core --quick";
    await keep(directory, "cluster", { rows, details: [] }, { ...from, command }, [goal("2 ×", false)]);
    const made = await readFile(join(directory, "notes.md"), "utf8");
    expect(made).toMatch(/^# N\n\n<!-- goals, from the pages -->\n\n\| suite/);
    expect(made).toContain("| [core](core.md)       |");
    expect(made).toMatch(
      /\[cluster\]\(cluster.md\) \| at least 10 × a .*b \| 2 × +\| no +\| `bench core --quick`/,
    );
    expect(made).not.toContain("old");
    expect(made).toMatch(/\n\n<!-- end of goals -->\n\nrest\n$/);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("what the suite and its processes do is not others' work; what waits for the disk is nobody's", () => {
  const self = (ticks: number) => `7 (a (b) c) S 1 7 7 0 -1 4 9 9 0 0 ${ticks} 1 2 3 20 0 12 0 5 6`;
  const machine = (user: number, idle: number) => `cpu  ${user} 1 1 ${idle} 50 0 1 2 0 0\ncpu0 9 9 9 9\n`;
  const before = timesFrom(machine(100, 100), self(10));
  expect(before).toEqual({ busy: 105, total: 255, own: 16 });
  const quiet = byTimes(before, timesFrom(machine(190, 110), self(90)));
  expect(quiet).toEqual({ text: "other processes took 10 % of the processors meanwhile", isBusy: false });
  expect(byTimes(before, timesFrom(machine(190, 110), self(70))).isBusy).toBe(true);
});

test("this machine's load is told", async () => {
  const { text } = await (await watchLoad())();
  expect(text).toMatch(
    /^(other processes took \d+ % of the processors meanwhile|a load average of [\d.]+ before)$/,
  );
});

test("the versions are those of the packages that are measured", async () => {
  const { versions } = await provenance("pnpm bench", from.load);
  expect(versions[0]).toBe(`node ${process.versions.node}`);
  expect(versions.slice(1).every((version) => /^\S+ \d+\.\d+\.\d+/.test(version))).toBe(true);
});
