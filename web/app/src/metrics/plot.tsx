import { type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { dark } from "../frame/theme.ts";
import type { Band } from "./bands.ts";
import { type Chart, type Lines, written } from "./charts.ts";

/** How high a chart is, in pixels. */
const height = 120;
/** The charts share one cursor by this name. */
const cursor = "syncline";

/** dashes tell lines apart where colours do not. */
export const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3], [1, 4], [12, 4], [4, 2, 1, 2], [3, 6], [10, 2]];
/** inks are the colours of lines, as variables of the style. */
export const inks = ["--accent", "--conflict", "--warn", "--ink", "--muted"] as const;

/** Plot draws one chart. at is where the cursor of all of them is, or null. */
export function Plot(props: { chart: Chart; lines: Lines; nodes: readonly string[]; bands: readonly Band[]; at: Signal<number | null> }) {
  const { chart, lines, nodes, at } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const behind = useRef(props.bands);
  behind.current = props.bands;
  useEffect(() => {
    const b = box.current;
    if (!b) return;
    const made = new uPlot(optionsOf(nodes, b, behind, at), [[]], b);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: b.clientWidth, height }));
    watch.observe(b);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [chart, nodes.join(), dark.value]);
  useEffect(() => {
    plot.current?.setData([lines.times, ...nodes.map((n) => lines.values.get(n) ?? lines.times.map(() => null))]);
  }, [lines, chart, nodes.join(), dark.value, props.bands]);
  const last = nodes.map((n) => `${n} ${written(lines.values.get(n)?.at(-1), chart.unit)}`).join(", ");
  return <div ref={box} class="metrics-plot" role="img" aria-label={`${chart.name}: ${last}`} />;
}

function optionsOf(nodes: readonly string[], box: HTMLElement, bands: { current: readonly Band[] }, at: Signal<number | null>): uPlot.Options {
  const muted = colour(box, "--muted");
  const axis: uPlot.Axis = { stroke: muted, grid: { stroke: colour(box, "--line"), width: 1 }, ticks: { show: false }, font: "13px system-ui" };
  return {
    width: box.clientWidth,
    height,
    legend: { show: false },
    cursor: { sync: { key: cursor }, drag: { x: false, y: false }, points: { size: 5 } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, size: 24 },
      { ...axis, size: 48, values: (_, splits) => splits.map((v) => v.toLocaleString("en", { maximumFractionDigits: 2 })) },
    ],
    series: [
      {},
      ...nodes.map((node, i): uPlot.Series => ({
        label: node,
        stroke: colour(box, inks[i % inks.length] ?? "--ink"),
        width: 1.5,
        dash: [...(dashes[i % dashes.length] ?? [])],
        spanGaps: false, // where a node was not reached there is nothing to show
        points: { show: false },
      })),
    ],
    hooks: {
      drawClear: [(u) => drawBands(u, bands.current, colour(box, "--warn-ground"))],
      setCursor: [(u) => void (at.value = u.cursor.idx ?? null)],
    },
  };
}

/** drawBands draws faults behind the lines. */
function drawBands(u: uPlot, bands: readonly Band[], fill: string): void {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.fillStyle = fill;
  for (const band of bands) {
    const from = Math.max(left, u.valToPos(band.from / 1000, "x", true));
    const to = Math.min(left + width, u.valToPos(Math.min(band.to, Date.now()) / 1000, "x", true));
    if (to > from) u.ctx.fillRect(from, top, to - from, height);
  }
  u.ctx.restore();
}

/** colour is what a variable of the style is at an element, for a canvas. */
function colour(at: HTMLElement, variable: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${variable})`;
  at.append(probe);
  const is = getComputedStyle(probe).color;
  probe.remove();
  return is;
}
