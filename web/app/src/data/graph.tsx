import { useEffect, useRef } from "preact/hooks";
import { Sign } from "../parts/sign.tsx";
import { TextTwin } from "../parts/table.tsx";
import { Id } from "../parts/text.tsx";
import { clockTime } from "../parts/time.tsx";
import { lineage, type Place } from "./lineage.ts";
import type { Version } from "./shapes.ts";

/** Sizes in pixels. */
const columnWidth = 64;
const laneHeight = 56;
const gutter = 40;
const radius = 7;

/** Graph draws the history: a lane for each node, a dot for each version, a line from what its writer had seen. */
export function Graph({ versions, chosen }: { versions: Version[]; chosen: string[] }) {
  const places = lineage(versions);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.scrollTo({ left: box.current.scrollWidth }), [versions]); // the newest are what one looks for
  const lanes = [...new Set(versions.map((v) => v.node))].sort();
  const x = (p: Place) => gutter + columnWidth / 2 + p.column * columnWidth;
  const y = (p: Place) => laneHeight / 2 + lanes.indexOf(p.version.node) * laneHeight;
  const live = versions.filter((v) => v.live).length;
  const label = `History of ${versions.length} versions, from the oldest on the left: ${live} live`;
  return (
    <>
      <div ref={box} class="scroll" tabIndex={0} role="region" aria-label="History as a graph">
        <svg class="data-graph" role="img" aria-label={label} width={gutter + places.length * columnWidth} height={lanes.length * laneHeight}>
          {lanes.map((lane, i) => (
            <g>
              <line class="lane" x1={gutter} x2="100%" y1={laneHeight / 2 + i * laneHeight} y2={laneHeight / 2 + i * laneHeight} />
              <text x="4" y={laneHeight / 2 + i * laneHeight + 4}>
                {lane}
              </text>
            </g>
          ))}
          {places.flatMap((p) =>
            p.from.flatMap((i) => {
              const from = places[i];
              return from ? [<path class="edge" d={edge(x(from), y(from), x(p), y(p))} />] : [];
            }),
          )}
          {places.map((p) => (
            <Dot version={p.version} x={x(p)} y={y(p)} sibling={live > 1 && p.version.live} chosen={chosen.includes(p.version.dot)} />
          ))}
        </svg>
      </div>
      <p class="muted data-legend">
        filled: live · ring: covered by a newer one · double ring: one of several live <Sign state="conflict" /> · crossed: a deletion · a line comes from what its writer had seen last
      </p>
      <TextTwin
        caption="History"
        head={["version", "node", "written", "state", "its writer had seen last"]}
        rows={places.map((p) => [
          <Id value={p.version.dot} />,
          p.version.node,
          clockTime(p.version.time, 3),
          stateWords(p.version, live),
          p.from.length > 0 ? p.from.map((i) => places[i]?.version.dot).join(", ") : "nothing of what is listed",
        ])}
      />
    </>
  );
}

/** stateWords is what a version is now. */
export function stateWords(v: Version, live: number): string {
  const kind = v.deleted ? "deletion, " : "";
  if (!v.live) return `${kind}covered`;
  if (v.hidden) return `${kind}another attempt of a write that is live too`;
  return `${kind}${live > 1 ? `live, one of ${live}` : "live"}`;
}

const edge = (x1: number, y1: number, x2: number, y2: number): string =>
  y1 === y2 && x2 - x1 > columnWidth ? `M${x1} ${y1}Q${(x1 + x2) / 2} ${y1 - laneHeight * 0.7} ${x2} ${y2}` : `M${x1} ${y1}C${x1 + 24} ${y1} ${x2 - 24} ${y2} ${x2} ${y2}`;

function Dot({ version: v, x, y, sibling, chosen }: { version: Version; x: number; y: number; sibling: boolean; chosen: boolean }) {
  return (
    <g class={`dot${v.live ? " live" : ""}${sibling ? " sibling" : ""}`}>
      <title>{`${v.dot}, written at ${v.node}, ${v.time}`}</title>
      {chosen && <rect class="chosen" x={x - 13} y={y - 13} width="26" height="26" />}
      {sibling && <circle cx={x} cy={y} r={radius + 4} />}
      <circle cx={x} cy={y} r={radius} class="core" />
      {v.deleted && <path d={`M${x - 4} ${y - 4}l8 8M${x + 4} ${y - 4}l-8 8`} class="cross" />}
      <text x={x} y={y + 26} text-anchor="middle">
        {v.dot.slice(v.dot.lastIndexOf(":"))}
      </text>
    </g>
  );
}
