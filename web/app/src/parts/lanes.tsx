import { useId } from "preact/hooks";
import type { State } from "../live/members.ts";
import { roundTimes } from "./axis.ts";
import { useWidth } from "./size.ts";
import { words } from "./sign.tsx";
import { TextTwin } from "./table.tsx";
import { clockTime, span as lasting } from "./time.tsx";
import "./lanes.css";

/** Span is a time in which a node was in one state. Times are in ms since 1970. */
export interface Span {
  from: number;
  to: number;
  state: State;
  word: string;
  title?: string;
}

/** Tick is one write, as a sign below its lane. */
export interface Tick {
  at: number;
  kind: "accepted" | "refused" | "conflict";
  title: string;
}

export interface Lane {
  name: string;
  spans: Span[];
  ticks?: Tick[];
}

/** Band is a fault, drawn behind the lanes. */
export interface Band {
  from: number;
  to: number;
  label: string;
}

export interface LanesProps {
  caption: string;
  from: number;
  to: number;
  lanes: Lane[];
  bands: Band[];
  marks?: { at: number; label: string }[];
}

/** Heights in pixels: of a lane's bar, of the ticks below it, of a row of labels, between two lanes. */
const bar = 20;
const tickRow = 10;
const labelRow = 18;
const between = 8;
/** At most so many rows of labels of faults: more are in the text twin. */
const maxBandRows = 3;
/** Below this width, in pixels, a lane's name stands above it and not beside it. */
const narrow = 520;
/** Ticks nearer than this, in pixels, are drawn as one. */
const tickWidth = 4;
/** At most so many rows of a kind in the text twin. */
const maxTwinRows = 60;
/** About the width of a character, in pixels. */
const character = 6.8;

/** Frame is where things are: a time's x, and the top of each part. */
interface Frame {
  width: number;
  left: number;
  x: (at: number) => number;
  top: number; // of the first lane
  pitch: number; // from lane to lane
  above: number; // from a lane's top to its bar
  bottom: number; // of the last lane
  height: number;
  id: string;
}

/** Lanes draws who was in which state when: a lane per node, faults behind them, writes as ticks. */
export function Lanes(props: LanesProps) {
  const { box, width } = useWidth<HTMLElement>(640);
  const id = useId();
  const f = frameOf(props, width, id);
  const bands = packed(props, f);
  return (
    <figure class="lanes" ref={box}>
      <svg class="lanes-svg" width={width} height={f.height} viewBox={`0 0 ${width} ${f.height}`} role="img" aria-label={`${props.caption}: ${summary(props)}`}>
        <Patterns id={id} />
        {bands.map((b) => (
          <g class="lanes-band">
            <title>{bandTitle(b.band)}</title>
            <rect x={b.x} y={0} width={b.w} height={f.bottom} />
            {b.text && (
              <text x={b.x + 4} y={b.row * labelRow + 13}>
                {b.text}
              </text>
            )}
          </g>
        ))}
        <Axis props={props} f={f} />
        {props.lanes.map((lane, i) => (
          <OneLane lane={lane} y={f.top + i * f.pitch} f={f} props={props} />
        ))}
        <Marks props={props} f={f} />
      </svg>
      <Legend lanes={props.lanes} id={id} />
      <TextTwin caption={props.caption} head={["what", "is", "from", "to", "for", "more"]} rows={twin(props)} />
    </figure>
  );
}

function frameOf(props: LanesProps, width: number, id: string): Frame {
  const longest = Math.max(...props.lanes.map((l) => l.name.length), 1);
  const small = width < narrow;
  const left = small ? 0 : Math.min(160, Math.round(longest * character) + 12);
  const room = Math.max(1, width - left);
  const x = (at: number) => left + (Math.min(Math.max(at, props.from), props.to) - props.from) * (room / Math.max(1, props.to - props.from));
  const rows = props.bands.length === 0 ? 0 : Math.min(maxBandRows, props.bands.length);
  const above = small ? labelRow : 0;
  const pitch = above + bar + between + (props.lanes.some((l) => l.ticks?.length) ? tickRow : 0);
  const top = rows * labelRow + 4;
  const bottom = top + props.lanes.length * pitch;
  const height = bottom + labelRow + (props.marks?.length ? labelRow : 0);
  return { width, left, x, top, pitch, above, bottom, height, id };
}

/** packed puts the labels of faults into rows, so that none lies on another. */
function packed(props: LanesProps, f: Frame): { band: Band; x: number; w: number; row: number; text: string }[] {
  const ends: number[] = [];
  return [...props.bands]
    .sort((a, b) => a.from - b.from)
    .filter((b) => b.to >= props.from && b.from <= props.to)
    .map((band) => {
      const x = f.x(band.from);
      const w = Math.max(1, f.x(band.to) - x);
      const free = Array.from({ length: maxBandRows }, (_, r) => r).find((r) => (ends[r] ?? 0) <= x);
      const row = free ?? 0;
      const needs = band.label.length * character + 8;
      // A label may reach past its band, but not past the edge.
      const text = free === undefined ? "" : x + needs <= f.width ? band.label : cutTo(band.label, f.width - x - 8);
      if (free !== undefined) ends[row] = x + Math.max(w, needs);
      return { band, x, w, row, text };
    });
}

function cutTo(text: string, room: number): string {
  const most = Math.floor(room / character);
  return text.length <= most ? text : most < 4 ? "" : `${text.slice(0, most - 1)}…`;
}

function OneLane({ lane, y, f, props }: { lane: Lane; y: number; f: Frame; props: LanesProps }) {
  const top = y + f.above;
  return (
    <g>
      <text class="lanes-name" x={0} y={f.above ? y + 13 : top + 14}>
        {lane.name}
      </text>
      {lane.spans
        .filter((s) => s.to >= props.from && s.from <= props.to)
        .map((s) => {
          const x = f.x(s.from);
          const w = Math.max(1, f.x(s.to) - x);
          return (
            <g class={`lanes-span ${s.state}`}>
              <title>{spanTitle(lane, s)}</title>
              <rect class="ground" x={x} y={top} width={w} height={bar} />
              <rect class="face" x={x} y={top} width={w} height={bar} fill={s.state === "readonly" ? `url(#${f.id}-hatch)` : "none"} />
              <text x={x + 4} y={top + 14}>
                {cutTo(s.word, w - 6)}
              </text>
            </g>
          );
        })}
      {grouped(lane.ticks ?? [], f, props).map((t) => (
        <TickSign x={t.x} y={top + bar + 6} kind={t.kind} title={t.title} />
      ))}
    </g>
  );
}

/** grouped are ticks with those that would lie on each other made one. */
function grouped(ticks: Tick[], f: Frame, props: LanesProps): { x: number; kind: Tick["kind"]; title: string }[] {
  const at = new Map<string, { x: number; kind: Tick["kind"]; title: string; n: number }>();
  for (const t of ticks) {
    if (t.at < props.from || t.at > props.to) continue;
    const column = Math.round(f.x(t.at) / tickWidth);
    const key = `${t.kind} ${column}`;
    const there = at.get(key);
    if (there) there.n++;
    else at.set(key, { x: column * tickWidth, kind: t.kind, title: t.title, n: 1 });
  }
  return [...at.values()].map((g) => ({ ...g, title: g.n > 1 ? `${g.n} writes ${g.kind}, the first: ${g.title}` : g.title }));
}

function TickSign({ x, y, kind, title }: { x: number; y: number; kind: Tick["kind"]; title: string }) {
  return (
    <g class={`lanes-tick ${kind}`} transform={`translate(${x} ${y})`}>
      <title>{title}</title>
      {kind === "accepted" && <path d="M0 -4V4" />}
      {kind === "refused" && <path d="M-3 -3L3 3M-3 3L3 -3" />}
      {kind === "conflict" && (
        <>
          <circle cx={-2} cy={0} r={3.2} />
          <circle cx={2} cy={0} r={3.2} />
        </>
      )}
    </g>
  );
}

function Axis({ props, f }: { props: LanesProps; f: Frame }) {
  return (
    <g class="lanes-axis">
      <path d={`M${f.left} ${f.bottom + 0.5}H${f.width}`} />
      {roundTimes(props.from, props.to, f.width - f.left).map(({ at, label }) => {
        const x = Math.round(f.x(at)) + 0.5;
        const half = (label.length * character) / 2;
        return (
          <>
            <path d={`M${x} ${f.top - 4}V${f.bottom + 4}`} />
            <text x={Math.min(Math.max(x, half), f.width - half)} y={f.bottom + 15} text-anchor="middle">
              {label}
            </text>
          </>
        );
      })}
    </g>
  );
}

function Marks({ props, f }: { props: LanesProps; f: Frame }) {
  let end = 0;
  return (
    <g class="lanes-mark">
      {(props.marks ?? [])
        .filter((m) => m.at >= props.from && m.at <= props.to)
        .map((m) => {
          const x = Math.round(f.x(m.at)) + 0.5;
          const text = x >= end ? cutTo(m.label, f.width - x - 4) : "";
          if (text) end = x + text.length * character + 8;
          return (
            <>
              <path d={`M${x} ${f.top - 4}V${f.bottom + labelRow + 4}`}>
                <title>{`${m.label}, ${clockTime(m.at, 1)}`}</title>
              </path>
              <text x={x + 2} y={f.bottom + labelRow + 15}>
                {text}
              </text>
            </>
          );
        })}
    </g>
  );
}

/** Patterns are the hatch of what is read-only. */
function Patterns({ id }: { id: string }) {
  return (
    <defs>
      <pattern id={`${id}-hatch`} class="lanes-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path d="M0 0V6" />
      </pattern>
    </defs>
  );
}

const ticksOf = ["accepted", "refused", "conflict"] as const;

function Legend({ lanes, id }: { lanes: Lane[]; id: string }) {
  const states = (["writable", "readonly", "down", "unknown"] as const).filter((s) => lanes.some((l) => l.spans.some((x) => x.state === s)));
  const ticks = ticksOf.filter((k) => lanes.some((l) => l.ticks?.some((t) => t.kind === k)));
  return (
    <p class="lanes-legend muted">
      {states.map((s) => (
        <span>
          <svg width="20" height="12" aria-hidden="true" class={`lanes-span ${s}`}>
            <rect class="ground" x="0.5" y="0.5" width="19" height="11" />
            <rect class="face" x="0.5" y="0.5" width="19" height="11" fill={s === "readonly" ? `url(#${id}-hatch)` : "none"} />
          </svg>{" "}
          {words[s]}
        </span>
      ))}
      {ticks.map((k) => (
        <span>
          <svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">
            <TickSign x={0} y={0} kind={k} title="" />
          </svg>{" "}
          {k === "conflict" ? "write in conflict" : `write ${k}`}
        </span>
      ))}
    </p>
  );
}

const spanTitle = (lane: Lane, s: Span) => `${lane.name}: ${s.word}, ${clockTime(s.from, 1)} to ${clockTime(s.to, 1)} (${lasting(s.to - s.from)})${s.title ? `. ${s.title}` : ""}`;
const bandTitle = (b: Band) => `${b.label}, ${clockTime(b.from, 1)} to ${clockTime(b.to, 1)}`;

/** summary is the end of the story: the state of each lane at the right edge. */
function summary({ lanes }: LanesProps): string {
  return lanes.map((l) => `${l.name} ${l.spans.at(-1)?.word ?? "nothing known"}`).join(", ");
}

/** twin is the graphic as rows; of long lists the newest. */
function twin({ lanes, bands, marks }: LanesProps): string[][] {
  const row = (what: string, is: string, from: number, to: number, more: string) => [what, is, clockTime(from, 1), clockTime(to, 1), lasting(to - from), more];
  return [
    ...lanes.flatMap((l) => l.spans.slice(-maxTwinRows).map((s) => row(l.name, s.word, s.from, s.to, s.title ?? ""))),
    ...bands.slice(-maxTwinRows).map((b) => row("fault", b.label, b.from, b.to, "")),
    ...(marks ?? []).slice(-maxTwinRows).map((m) => row("step", m.label, m.at, m.at, "")),
    ...lanes.flatMap((l) => ticksOf.map((k) => ({ l, k, n: (l.ticks ?? []).filter((t) => t.kind === k) })))
      .filter(({ n }) => n.length > 0)
      .map(({ l, k, n }) => row(l.name, `${n.length} writes ${k}`, n[0]?.at ?? 0, n.at(-1)?.at ?? 0, n.at(-1)?.title ?? "")),
  ];
}
