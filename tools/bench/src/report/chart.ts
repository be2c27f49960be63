/**
 * A suite's rows as an SVG: a panel a case, a bar a subject, on one logarithmic scale. Apache ECharts draws it as text without
 * a browser. What is not Khonsu is grey, so that a glance tells the two apart.
 */
import { BarChart, CustomChart } from "echarts/charts";
import { GridComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { heading, titled } from "./picture.ts";
import type { Provenance } from "./provenance.ts";
import type { MeasuredRow } from "./row.ts";

use([BarChart, CustomChart, GridComponent, TitleComponent, SVGRenderer]);

const WIDTH = 960;
const LEFT = 330;
const RIGHT = 240;
const TOP = 84;
const BAR = 22;
const PANEL_HEAD = 34;
const OURS = "#c8782a";
const PEER = "#8f979e";

interface Panel {
  readonly name: string;
  readonly rows: readonly MeasuredRow[];
  readonly top: number;
  readonly height: number;
}

/** @returns an SVG document; the same rows give the same one. */
export function chartOf(suite: string, rows: readonly MeasuredRow[], from: Provenance): string {
  const panels = panelsOf(rows);
  const last = panels.at(-1);
  const height = (last === undefined ? TOP : last.top + last.height) + 20;
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    chart.setOption(optionsOf(suite, panels, from));
    return titled(chart.renderToSVGString(), `${suite}: operations a second`);
  } finally {
    chart.dispose();
  }
}

function panelsOf(rows: readonly MeasuredRow[]): Panel[] {
  const names = [...new Set(rows.map((row) => row.case))];
  let top = TOP;
  return names.map((name) => {
    const own = rows.filter((row) => row.case === name);
    const panel = { name, rows: own, top: top + PANEL_HEAD, height: own.length * BAR };
    top = panel.top + panel.height + 8;
    return panel;
  });
}

function optionsOf(suite: string, panels: readonly Panel[], from: Provenance): EChartsCoreOption {
  const rates = panels.flatMap(({ rows }) => rows.map((row) => row.ops_per_s)).filter((rate) => rate > 0);
  const min = 10 ** (Math.floor(Math.log10(Math.min(...rates))) - 1);
  const max = 10 ** Math.ceil(Math.log10(Math.max(...rates)));
  return {
    animation: false,
    backgroundColor: "#ffffff",
    title: [heading(`${suite}: operations a second, logarithmic`, from), ...panels.map(panelTitle)],
    grid: panels.map(({ top, height }) => ({ left: LEFT, right: RIGHT, top, height })),
    // Without a start value bars begin at 1, and those below grow to the left.
    xAxis: panels.map((_, gridIndex) => ({
      type: "log",
      gridIndex,
      min,
      max,
      startValue: min,
      show: false,
    })),
    yAxis: panels.map(({ rows }, gridIndex) => ({
      type: "category",
      gridIndex,
      inverse: true,
      axisTick: { show: false },
      axisLine: { onZero: false },
      axisLabel: { fontSize: 12, width: LEFT - 20, overflow: "truncate" },
      data: rows.map((row) => row.subject),
    })),
    series: panels.map(bars),
  };
}

function panelTitle({ name, top }: Panel) {
  return { text: name, left: 16, top: top - 24, textStyle: { fontSize: 13 } };
}

function bars({ rows }: Panel, index: number) {
  return {
    type: "bar",
    xAxisIndex: index,
    yAxisIndex: index,
    barWidth: 13,
    data: rows.map((row) => ({
      value: Math.max(row.ops_per_s, Number.MIN_VALUE),
      itemStyle: { color: row.subject.startsWith("khonsu") ? OURS : PEER },
      label: { show: true, position: "right", fontSize: 11, formatter: labelOf(row) },
    })),
  };
}

function labelOf(row: MeasuredRow): string {
  return `${count(row.ops_per_s)}/s   p50 ${duration(row.p50_us)}   p99 ${duration(row.p99_us)}`;
}

function duration(microseconds: number): string {
  return microseconds < 10_000 ? `${count(microseconds)} µs` : `${count(microseconds / 1000)} ms`;
}

export function count(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return Number(value.toPrecision(3)).toString();
}
