import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { dataNodes } from "../live/members.ts";
import { TextTwin } from "../parts/table.tsx";
import { middle } from "../parts/text.tsx";
import { clockTime } from "../parts/time.tsx";
import type { Evidence } from "./look.ts";
import { sceneOf } from "./scene.ts";
import type { Conflict } from "./shapes.ts";
import { cutWords } from "./words.ts";
import { type Cut, type Diagram, type Dot, layout, type Scene, seen, sizes } from "./spacetime.ts";

const kinds = { before: "written before", sibling: "a version of the conflict", result: "ended the conflict" };

/** SpaceTime draws a conflict in space and time, with a table as its twin. */
export function SpaceTime({ conflict, evidence }: { conflict: Conflict; evidence: Evidence }) {
  const roster = dataNodes.value.map((m) => m.name);
  const scene = useMemo(() => sceneOf(conflict, evidence, roster), [conflict, evidence, roster.join()]);
  const diagram = useMemo(() => layout(scene), [scene]);
  return (
    <section class="conflicts-spacetime" aria-label="What was written where, and who had seen it">
      <h2>What was written where, and who had seen it</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Space-time diagram">
        <Picture diagram={diagram} summary={summaryOf(scene)} />
      </div>
      <p class="muted">
        A lane per node, time to the right, gaps not to scale. Rings are the versions in conflict, the diamond ended it; an arrow ends at a writer who had seen the
        other version. {scene.cuts.length === 0 && "No cut between these nodes is on record for that time. "}
        {evidence.silent.length > 0 && `What ${evidence.silent.join(" and ")} went through is unknown: it does not answer. `}
        {evidence.history === null ? "What was written before is unknown: the history could not be read." : !evidence.history.complete && "Not all that was written before is kept."}
      </p>
      <TextTwin caption="What was written where" head={["when", "node", "version", "what", "its writer had seen"]} rows={[...versionRows(scene), ...scene.cuts.map(cutRow)]} />
    </section>
  );
}

function Picture({ diagram: d, summary }: { diagram: Diagram; summary: string }) {
  const right = d.width - 8;
  return (
    <svg class="spacetime" width={d.width} height={d.height} viewBox={`0 0 ${d.width} ${d.height}`} role="img" aria-label={summary}>
      {d.bands.map((b) => (
        <g class="cut">
          <rect x={b.x} y={b.y} width={b.width} height={b.height} />
        </g>
      ))}
      {d.lanes.map((lane) => (
        <g class="lane">
          <text x="8" y={lane.y + 4}>
            {middle(lane.node, 7)}
          </text>
          <path d={`M${sizes.left} ${lane.y}H${right}`} />
          {lane.blanks.map((b) => (
            <path class="blank" d={`M${b.x} ${lane.y}h${b.width}`}>
              <title>{b.cause}</title>
            </path>
          ))}
        </g>
      ))}
      {d.arrows.map(({ from, to }) => (
        <Arrow from={from} to={to} />
      ))}
      {d.bands.map((b) => (
        <text class="cut-words" x={b.x + 6} y={b.y + 20}>
          ✂ {bandWords(b.cut)}
        </text>
      ))}
      {d.dots.map((dot) => (
        <Mark dot={dot} />
      ))}
      {d.ticks.map((t) => (
        <text class="tick" x={t.x} y={d.height - 10}>
          {t.since || clockTime(t.time, 1)}
        </text>
      ))}
    </svg>
  );
}

const bandWords = (cut: Cut): string => `${cut.oneWay} ${cutWords(cut)}`.trim();

/** Arrow goes from a version to a writer who had seen it; its head ends at the dot's rim. */
function Arrow({ from, to }: { from: Dot; to: Dot }) {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const ux = (to.x - from.x) / length;
  const uy = (to.y - from.y) / length;
  const rim = 13;
  const tip = { x: to.x - ux * rim, y: to.y - uy * rim };
  const foot = { x: tip.x - ux * 8, y: tip.y - uy * 8 };
  return (
    <g class="arrow">
      <path d={`M${from.x + ux * rim} ${from.y + uy * rim}L${foot.x} ${foot.y}`} />
      <path class="head" d={`M${tip.x} ${tip.y}L${foot.x - uy * 4} ${foot.y + ux * 4}L${foot.x + uy * 4} ${foot.y - ux * 4}Z`} />
    </g>
  );
}

function Mark({ dot: { version: v, x, y } }: { dot: Dot }) {
  return (
    <g class={`dot ${v.kind}`}>
      <title>{`${v.dot}, ${kinds[v.kind]}${v.time === null ? ", when is not known" : `, ${clockTime(v.time, 3)}`}${v.deleted ? ", deleted" : ""}`}</title>
      {shapes[v.kind](x, y)}
      {v.deleted && <path class="gone" d={`M${x - 4} ${y - 4}l8 8m0 -8l-8 8`} />}
      <text x={x} y={y - 18}>
        {v.label}
      </text>
      {v.time === null && (
        <text class="tick" x={x} y={y + 24}>
          {v.kind === "result" ? "later" : "earlier"}
        </text>
      )}
    </g>
  );
}

const shapes: Record<keyof typeof kinds, (x: number, y: number) => JSX.Element> = {
  before: (x, y) => <circle cx={x} cy={y} r="5" />,
  // The double ring of a conflict.
  sibling: (x, y) => (
    <>
      <circle cx={x} cy={y} r="11" class="ring" />
      <circle cx={x} cy={y} r="7" />
    </>
  ),
  result: (x, y) => <path d={`M${x - 10} ${y}L${x} ${y - 10}L${x + 10} ${y}L${x} ${y + 10}Z`} />,
};

function versionRows(scene: Scene) {
  const pairs = seen(scene.versions);
  return scene.versions.map((v) => [
    v.time === null ? "not known" : clockTime(v.time, 3),
    v.dot.split("~")[0],
    <span class="id">{v.dot}</span>,
    `${kinds[v.kind]}${v.deleted ? ", deleted" : ""}${v.label ? `: ${v.label}` : ""}`,
    v.clock === null ? "not on record" : pairs.filter(([, w]) => w === v).map(([u]) => u.dot).join(", ") || "nothing of the document that is shown here",
  ]);
}

const cutRow = (cut: Cut) => [clockTime(cut.from), cut.between.join(" and "), "", `${bandWords(cut)}: ${cut.cause}`, ""];

/** summaryOf is the picture in a sentence. */
function summaryOf(scene: Scene): string {
  const siblings = scene.versions.filter((v) => v.kind === "sibling").map((v) => v.dot);
  const pairs = seen(scene.versions).filter(([v, w]) => siblings.includes(v.dot) && siblings.includes(w.dot));
  const cut = scene.cuts[0];
  return `${siblings.length} versions in conflict, ${siblings.join(" and ")}; ${pairs.length === 0 ? "no writer of one had seen another" : "some writers had seen others"}${cut ? `; ${cut.between.join(" and ")} were cut, ${bandWords(cut)}` : ""}`;
}
