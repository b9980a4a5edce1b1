export interface Point {
  x: number;
  y: number;
}

/** Half of the room that a member takes, in pixels. */
export const room = { x: 64, y: 44 };
/** Half of the height of the hull around one member, and by how much it is wider than tall to each side, in pixels. */
export const hullHalf = 54;
const hullSide = (width: number): number => (width < narrow ? 8 : 24);
/** Below this width, in pixels, things stand closer together. */
export const narrow = 520;
/** How far the two arcs of a link stand apart, in pixels. */
const bulge = 9;
/** Pixels between a member and the end of an arc. */
const gap = 4;

/**
 * places puts data nodes on a ring; the last place, below, is the witness's.
 * Two nodes stand side by side, as on two sides of a cut.
 */
export function places(names: readonly string[], seat: string | null, width: number, height: number): Map<string, Point> {
  const all = seat === null ? names : [...names, seat];
  // Clockwise from the place after the seat, so that the roster reads from the left.
  const turn = (i: number) => (seat === null && all.length === 2 ? Math.PI * (i + 1) : Math.PI / 2 + ((i + 1) * 2 * Math.PI) / all.length);
  const edge = hullHalf + hullSide(width) + 2;
  const xs = fill(all.map((_, i) => Math.cos(turn(i))), edge, width - edge);
  const ys = fill(all.map((_, i) => Math.sin(turn(i))), hullHalf + 2, height - hullHalf - 2);
  return new Map(all.map((name, i) => [name, { x: xs[i] ?? 0, y: ys[i] ?? 0 }]));
}

/** fill spreads numbers over all of a range. */
function fill(of: number[], from: number, to: number): number[] {
  const least = Math.min(...of);
  const wide = Math.max(...of) - least;
  return of.map((n) => Math.round(wide < 1e-9 ? (from + to) / 2 : from + ((n - least) / wide) * (to - from)));
}

/** Arc is one direction, drawn as a curve with a head at its end. */
export interface Arc {
  path: string;
  head: string; // points of a triangle
}

/** arc bends to the right of its way, so that the two of a link never meet. */
export function arc(a: Point, b: Point): Arc {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = Math.hypot(dx, dy) || 1;
  const normal = { x: -dy / length, y: dx / length };
  const out = Math.min(0.45, 1 / Math.hypot(dx / (room.x + gap), dy / (room.y + gap)));
  const at = (t: number, side: number): Point => ({ x: a.x + dx * t + normal.x * side, y: a.y + dy * t + normal.y * side });
  const start = at(out, bulge / 2);
  const end = at(1 - out, bulge / 2);
  const control = at(0.5, bulge * 2);
  const along = { x: end.x - control.x, y: end.y - control.y };
  const reach = Math.hypot(along.x, along.y) || 1;
  const u = { x: along.x / reach, y: along.y / reach };
  const back = { x: end.x - u.x * 8, y: end.y - u.y * 8 };
  const wing = (side: number) => `${round(back.x - u.y * side)},${round(back.y + u.x * side)}`;
  return {
    path: `M${round(start.x)} ${round(start.y)}Q${round(control.x)} ${round(control.y)} ${round(end.x)} ${round(end.y)}`,
    head: `${round(end.x)},${round(end.y)} ${wing(3.5)} ${wing(-3.5)}`,
  };
}

const round = (n: number): number => Math.round(n * 10) / 10;

/** between is where the label of a link stands: in its middle, or nearer to one end where links cross there. */
export function between(a: Point, b: Point, crossing: boolean): Point {
  const t = crossing ? 0.3 : 0.5;
  return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t };
}

/** hull is the outline around points, as a path: they stand on a ring, so their order around it is the outline. */
export function hull(points: readonly Point[], width: number, height: number): string {
  const centre = { x: width / 2, y: height / 2 };
  const side = hullSide(width);
  const around = [...points].sort((p, q) => Math.atan2(p.y - centre.y, p.x - centre.x) - Math.atan2(q.y - centre.y, q.x - centre.x));
  // A member is wider than it is tall.
  const wide = around.flatMap(({ x, y }) => [`${x - side} ${y}`, `${x + side} ${y}`]);
  return `M${wide.join("L")}Z`;
}
