import { useEffect } from "preact/hooks";
import { now } from "../live/clock.ts";
import { dataNodes } from "../live/members.ts";
import { Lanes } from "../parts/lanes.tsx";
import { bandsOf, spansOf } from "../parts/past.ts";
import { follow, pasts, shown } from "./past.ts";
import { countWrites, ticks } from "./writes.ts";

/** The picture is drawn anew so often, in milliseconds. */
const drawEvery = 1_000;

/** Live is the timeline of the last minutes, up to now. */
export function Live() {
  const names = dataNodes.value.map((m) => m.name).join(" ");
  useEffect(follow, [names]);
  useEffect(countWrites, [names]);
  const to = Math.ceil(now.value / drawEvery) * drawEvery;
  const from = to - shown;
  return (
    <Lanes
      caption="The last three minutes, each node by its own word"
      from={from}
      to={to}
      lanes={dataNodes.value.map((m) => ({ name: m.name, spans: spansOf(m, pasts.value.get(m.name) ?? null, from, to), ticks: ticks.value.get(m.name) ?? [] }))}
      bands={bandsOf(pasts.value.values(), from, to)}
    />
  );
}
