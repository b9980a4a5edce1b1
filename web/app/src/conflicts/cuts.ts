import type { Entry as Noted, Timeline } from "../api/shapes.ts";
import type { Blank, Cut } from "./spacetime.ts";

/** slack is how much later than its cause a state may be noted at another node, in milliseconds. */
const slack = 1_000;

/** Entry is one of a timeline, as far as a cut is concerned. */
type Entry = Pick<Noted, "time" | "kind" | "state" | "cause" | "from" | "to">;

/** Kept is what a node has kept of a time, as far as cuts are concerned. */
export type Kept = Pick<Timeline, "node" | "unknown"> & { before: Entry[]; entries: Entry[] };

const millis = (time: string): number => Date.parse(time);

/** Interval is one direction of one link while it was cut, as one of its ends noted it. */
interface Interval {
  way: string; // "a→b"
  from: number;
  to: number | null;
  cause: string;
}

/** cutsOf are the cuts between nodes, from the pasts of all that answer: each pair and time once. */
export function cutsOf(pasts: readonly Kept[]): Cut[] {
  const byPair = new Map<string, Interval[]>();
  for (const one of pasts.flatMap(intervals)) {
    const pair = one.way.split("→").sort().join("–");
    byPair.set(pair, [...(byPair.get(pair) ?? []), one]);
  }
  return [...byPair].flatMap(([pair, all]) => {
    const [a = "", b = ""] = pair.split("–");
    return joined(all).map((group): Cut => {
      const ways = [...new Set(group.map((i) => i.way))];
      const ends = group.map((i) => i.to);
      return {
        between: [a, b],
        from: Math.min(...group.map((i) => i.from)),
        to: ends.includes(null) ? null : Math.max(...ends.map((e) => e ?? 0)),
        cause: group.find((i) => i.cause.includes("fault"))?.cause ?? group[0]?.cause ?? "",
        oneWay: ways.length === 1 ? (ways[0] ?? "") : "",
      };
    });
  });
}

/** joined puts those together that overlap: both ends note one cut, in both directions. */
function joined(all: Interval[]): Interval[][] {
  const groups: Interval[][] = [];
  let end = -Infinity;
  for (const one of all.toSorted((x, y) => x.from - y.from)) {
    const last = groups.at(-1);
    if (last && one.from <= end) {
      last.push(one);
      end = Math.max(end, one.to ?? Infinity);
    } else {
      groups.push([one]);
      end = one.to ?? Infinity;
    }
  }
  return groups;
}

/** intervals are the times in which a node noted a link of its own as cut. A restart ends what was noted before. */
function intervals(past: Kept): Interval[] {
  const out: Interval[] = [];
  const on = new Map<string, Interval>();
  const note = (e: Entry): void => {
    if (e.kind === "process") on.clear();
    if (e.kind !== "link" || (e.from !== past.node && e.to !== past.node)) return;
    const way = `${e.from}→${e.to}`;
    const is = on.get(way);
    if (e.state === "cut" && !is) {
      const begun: Interval = { way, from: millis(e.time), to: null, cause: e.cause };
      on.set(way, begun);
      out.push(begun);
    } else if (e.state !== "cut" && is) {
      is.to = millis(e.time);
      on.delete(way);
    }
  };
  [...past.before, ...past.entries].forEach(note);
  for (const one of out) {
    // What a process had noted when it ended lasts as long as it lived.
    if (one.to === null && on.get(one.way) !== one) one.to = endOf(past, one.from);
  }
  return out;
}

const endOf = (past: Kept, from: number): number =>
  Math.min(...past.unknown.map((u) => millis(u.from)).filter((t) => t >= from), ...past.entries.filter((e) => e.kind === "process").map((e) => millis(e.time)).filter((t) => t >= from));

/** blanksOf are the times of which the nodes know nothing. */
export const blanksOf = (pasts: readonly Kept[]): Blank[] =>
  pasts.flatMap((p) => p.unknown.map((u) => ({ node: p.node, from: millis(u.from), to: millis(u.to), cause: u.cause })));

/** cutDuring is what cut some nodes apart within a time: from when, and until when; null: nothing that is known. */
export function cutDuring(cuts: readonly Cut[], nodes: readonly string[], from: number, to: number): Cut | null {
  const fitting = cuts.filter((c) => c.between.every((n) => nodes.includes(n)) && c.from <= to + slack && (c.to ?? Infinity) >= from - slack);
  const [first] = fitting;
  if (!first) return null;
  const ends = fitting.map((c) => c.to);
  return { ...first, from: Math.min(...fitting.map((c) => c.from)), to: ends.includes(null) ? null : Math.max(...ends.map((e) => e ?? 0)) };
}
