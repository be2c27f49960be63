/** Figures that go along with something, such as the heap along with commits, as an SVG: a line a series, on linear scales from zero. */
import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { heading, titled } from "./picture.ts";
import type { Provenance } from "./provenance.ts";
import type { Curves, Detail } from "./row.ts";

use([GridComponent, LegendComponent, LineChart, SVGRenderer, TitleComponent]);

const WIDTH = 960;
const HEIGHT = 420;
const COLOURS = ["#c8782a", "#4a6f8a", "#6b8f4a", "#8f979e"];

/** @returns an SVG document; the same figures give the same one. */
export function curvesOf(
  suite: string,
  details: readonly Detail[],
  { x, y, series }: Curves,
  from: Provenance,
): string {
  const names = [...new Set(details.map((detail) => String(detail[series])))];
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT });
  const title = `${suite}: ${y} by ${x}`;
  const options: EChartsCoreOption = {
    animation: false,
    backgroundColor: "#ffffff",
    color: COLOURS,
    title: heading(title, from),
    legend: { top: 76, right: 40, data: names },
    grid: { left: 80, right: 40, top: 120, bottom: 50 },
    xAxis: { type: "value", name: x, nameLocation: "middle", nameGap: 30, min: 0 },
    yAxis: { type: "value", name: y, min: 0 },
    series: names.map((name) => ({
      type: "line",
      name,
      data: details
        .filter((detail) => String(detail[series]) === name)
        .map((detail) => [detail[x], detail[y]]),
    })),
  };
  try {
    chart.setOption(options);
    return titled(chart.renderToSVGString(), title);
  } finally {
    chart.dispose();
  }
}
