// The layout of the space-time diagram: a lane per node, time to the right. It
// is made of the real clocks of versions, so an arrow is drawn only where a
// writer had seen a version of another node, never where it may have.

/** Version is one written value: a dot in the diagram. */
export interface Version {
  dot: string; // "a~k3f9x2mz:42"
  time: number | null; // milliseconds; null: not known here, so before or after all others, by its kind
  kind: "before" | "sibling" | "result";
  deleted: boolean;
  label: string; // what it wrote, in few characters
  clock: ReadonlyMap<string, number> | null; // what its writer had seen; null: not on record
  loose: readonly string[];
}

/** Cut is a time in which two nodes did not reach each other. */
export interface Cut {
  between: [string, string];
  from: number;
  to: number | null; // null: it is still on
  cause: string;
  oneWay: string; // "a→b" where only that direction was cut, else ""
}

/** Blank is a time of which a node's own past says nothing. */
export interface Blank {
  node: string;
  from: number;
  to: number;
  cause: string;
}

export interface Scene {
  nodes: readonly string[];
  versions: readonly Version[];
  cuts: readonly Cut[];
  blanks: readonly Blank[];
}

export interface Dot {
  version: Version;
  x: number;
  y: number;
}

export interface Diagram {
  width: number;
  height: number;
  lanes: { node: string; y: number; blanks: { x: number; width: number; cause: string }[] }[];
  dots: Dot[];
  arrows: { from: Dot; to: Dot }[];
  bands: { cut: Cut; x: number; y: number; width: number; height: number }[];
  ticks: { x: number; time: number; since: string }[]; // since the first; "" at the first
}

/** Sizes, in pixels. */
export const sizes = { left: 56, top: 40, lane: 64, right: 32, bottom: 32, gap: 56, first: 96, edge: 40 };

/** nodeOf is where a version was written: the name before the tilde of its dot. */
export const nodeOf = (dot: string): string => dot.split("~")[0] ?? dot;

/** covers says whether the writer of w had seen v. */
export function covers(w: Version, v: Version): boolean {
  if (w === v || !w.clock) return false;
  const colon = v.dot.lastIndexOf(":");
  return (w.clock.get(v.dot.slice(0, colon)) ?? 0) >= Number(v.dot.slice(colon + 1)) || w.loose.includes(v.dot);
}

/**
 * seen are the pairs of versions of which the second's writer had seen the first,
 * and no third between them.
 */
export function seen(versions: readonly Version[]): [Version, Version][] {
  return versions.flatMap((w) => {
    const past = versions.filter((v) => covers(w, v));
    return past.filter((v) => !past.some((u) => covers(u, v))).map((v): [Version, Version] => [v, w]);
  });
}

/** heads are the versions that clocks name and that are not among those known: written before, nobody here knows when. */
export function heads(versions: readonly Version[]): Version[] {
  const known = new Set(versions.map((v) => v.dot));
  const named = new Set(versions.flatMap((v) => [...(v.clock ?? [])].map(([actor, seq]) => `${actor}:${seq}`).concat(v.loose)));
  return [...named]
    .filter((dot) => !known.has(dot))
    .map((dot): Version => ({ dot, time: null, kind: "before", deleted: false, label: "", clock: null, loose: [] }));
}

/** layout says where everything is. Time is not to scale: a longer gap is wider, but not by as much. */
export function layout(scene: Scene): Diagram {
  const { nodes, versions, cuts } = scene;
  const y = new Map(nodes.map((node, i) => [node, sizes.top + sizes.lane * i + sizes.lane / 2]));
  const axis = axisOf(versions, cuts);
  const dots = dotsOf(versions, axis, y);
  const place = new Map(dots.map((d) => [d.version, d]));
  const right = axis.end + sizes.right;
  return {
    width: right,
    height: sizes.top + sizes.lane * nodes.length + sizes.bottom,
    lanes: nodes.map((node) => ({
      node,
      y: y.get(node) ?? 0,
      blanks: scene.blanks.filter((b) => b.node === node).flatMap((b) => spanOf(axis, b.from, b.to, right).map((s) => ({ ...s, cause: b.cause }))),
    })),
    dots,
    arrows: seen(versions).flatMap(([v, w]) => {
      const from = place.get(v);
      const to = place.get(w);
      return from && to && from.y !== to.y ? [{ from, to }] : [];
    }),
    bands: cuts.flatMap((cut) => {
      const ends = cut.between.map((node) => y.get(node));
      const [one, other] = ends;
      if (one === undefined || other === undefined) return [];
      return spanOf(axis, cut.from, cut.to ?? Infinity, right).map((s) => ({ cut, ...s, y: Math.min(one, other), height: Math.abs(one - other) }));
    }),
    ticks: ticksOf(axis),
  };
}

/** Axis is where moments are, from left to right. */
interface Axis {
  moments: { time: number; x: number; version: boolean }[];
  start: number; // of what was written before, nobody here knows when
  late: number; // of what came after
  end: number;
}

function axisOf(versions: readonly Version[], cuts: readonly Cut[]): Axis {
  const written = new Set(versions.flatMap((v) => v.time ?? []));
  const first = Math.min(...written);
  const last = Math.max(...written);
  // Of a cut that began before all, or ended after, the edge of the picture is enough.
  const edges = cuts.flatMap((c) => [c.from, c.to ?? Infinity]).filter((t) => t > first && t < last);
  const times = [...new Set([...written, ...edges])].sort((a, b) => a - b);
  const start = sizes.left + sizes.edge;
  let x = start + (versions.some((v) => v.time === null && v.kind !== "result") ? sizes.gap + sizes.edge : sizes.edge);
  const moments = times.map((time, i) => {
    const before = times[i - 1];
    if (before !== undefined) x += Math.max(i === 1 ? sizes.first : 0, sizes.gap + 14 * Math.log10(1 + time - before));
    return { time, x: Math.round(x), version: written.has(time) };
  });
  const late = (moments.at(-1)?.x ?? start) + sizes.gap + sizes.edge;
  const ended = versions.some((v) => v.time === null && v.kind === "result");
  return { moments, start, late, end: (ended ? late : late - sizes.gap - sizes.edge) + sizes.edge };
}

/** spanOf is a time in pixels, as far as it is in the picture; a list of one or none. */
function spanOf(axis: Axis, from: number, to: number, right: number): { x: number; width: number }[] {
  const begin = xOf(axis, from, right);
  const width = xOf(axis, to, right) - begin;
  return width > 0 ? [{ x: begin, width }] : [];
}

/** xOf is where a time is, between the moments that are drawn. */
function xOf(axis: Axis, time: number, right: number): number {
  const after = axis.moments.findIndex((m) => m.time >= time);
  const next = axis.moments[after];
  const before = axis.moments[after < 0 ? axis.moments.length - 1 : after - 1];
  if (next?.time === time) return next.x;
  if (!next) return time === Infinity || !before ? right : Math.min(right, before.x + sizes.edge / 2);
  if (!before) return next.x - sizes.edge / 2;
  return Math.round(before.x + ((next.x - before.x) * (time - before.time)) / (next.time - before.time));
}

function dotsOf(versions: readonly Version[], axis: Axis, y: ReadonlyMap<string, number>): Dot[] {
  const x = new Map(axis.moments.map((m) => [m.time, m.x]));
  const taken = new Set<string>();
  return versions.flatMap((version) => {
    const lane = y.get(nodeOf(version.dot));
    if (lane === undefined) return [];
    const untimed = version.kind === "result" ? axis.late : axis.start;
    let at = version.time === null ? untimed : (x.get(version.time) ?? untimed);
    // Two versions of one instant at one node stay two dots.
    while (taken.has(`${at} ${lane}`)) at += 18;
    taken.add(`${at} ${lane}`);
    return [{ version, x: at, y: lane }];
  });
}

function ticksOf(axis: Axis): Diagram["ticks"] {
  const written = axis.moments.filter((m) => m.version);
  const first = written[0];
  return written.map((m) => ({ x: m.x, time: m.time, since: first && m !== first ? `+${gap(m.time - first.time)}` : "" }));
}

/** gap is a length of time, short. */
export function gap(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}:${String(Math.floor((ms % 60_000) / 1000)).padStart(2, "0")} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}
