import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { readings, since, watchFigures } from "../live/figures.ts";
import { dataNodes } from "../live/members.ts";
import { TextTwin } from "../parts/table.tsx";
import { clockTime } from "../parts/time.tsx";
import { bands, watchFaults } from "./bands.ts";
import { type Chart, charts, linesOf, written } from "./charts.ts";
import "./metrics.css";
import { dashes, inks, Plot } from "./plot.tsx";

/** at is where the one cursor of all charts is. */
const at = signal<number | null>(null);

/** Eight small charts with one cursor, a line for each node, faults drawn behind. */
export default function Screen() {
  useEffect(() => {
    watchFigures();
    watchFaults();
  }, []);
  const nodes = dataNodes.value.map((m) => m.name);
  const shown = [...new Set(bands.value.map((b) => b.label))];
  return (
    <>
      <h1>Metrics</h1>
      <p class="muted">
        What each node tells of itself every two seconds{since.value > 0 && `, since this page began to ask at ${clockTime(since.value)}`}. A gap is when it did not answer, or had
        nothing to tell. Shaded: faults{shown.length > 0 && ` (${shown.slice(-4).join(", ")})`}.
      </p>
      <Legend nodes={nodes} />
      <div class="metrics">
        {charts.map((chart) => (
          <One key={chart.name} chart={chart} nodes={nodes} />
        ))}
      </div>
      <TextTwin
        caption="The newest figures"
        head={["figure", ...nodes]}
        rows={charts.map((chart) => {
          const { values } = linesOf(chart, readings.value);
          return [chart.name, ...nodes.map((n) => written(values.get(n)?.at(-1), chart.unit))];
        })}
      />
    </>
  );
}

/** Legend says which line is which node's: by colour and by dashes. */
function Legend({ nodes }: { nodes: string[] }) {
  return (
    <ul class="metrics-legend" aria-label="Lines">
      {nodes.map((n, i) => (
        <li>
          <svg width="32" height="8" aria-hidden="true">
            <line x1="0" x2="32" y1="4" y2="4" stroke={`var(${inks[i % inks.length]})`} stroke-width="2" stroke-dasharray={dashes[i % dashes.length]?.join(" ")} />
          </svg>{" "}
          {n}
        </li>
      ))}
    </ul>
  );
}

function One({ chart, nodes }: { chart: Chart; nodes: string[] }) {
  const all = readings.value;
  const lines = useMemo(() => linesOf(chart, all), [chart, all]);
  const index = at.value ?? lines.times.length - 1;
  const time = lines.times[index];
  return (
    <section class="metrics-one">
      <h2>
        {chart.name} <span class="muted">{chart.unit}</span>
      </h2>
      <p class="muted">{chart.help}</p>
      <Plot chart={chart} lines={lines} nodes={nodes} bands={bands.value} at={at} />
      <p class="metrics-now">
        {nodes.map((n) => `${n} ${written(lines.values.get(n)?.[index], chart.unit)}`).join(" · ")}
        {at.value !== null && time !== undefined && <span class="muted"> at {clockTime(time * 1000)}</span>}
      </p>
    </section>
  );
}
