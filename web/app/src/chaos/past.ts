import { effect, signal, type Signal } from "@preact/signals";
import type { Entry, Timeline } from "../api/shapes.ts";
import { readTimeline } from "../api/timeline.ts";
import { connection, dataNodes, told, type Member, type State } from "../live/members.ts";
import type { Band, Span } from "../parts/lanes.tsx";
import { writeWords } from "../parts/writing.tsx";

/** The last minutes that are drawn, in milliseconds. */
export const shown = 3 * 60_000;
/** A node is asked again at most so often, in milliseconds, however much happens. */
const askEvery = 500;
/** The pause before a node that did not answer is asked again, in milliseconds. */
const askLater = 2_000;

/** pasts are what each data node was last heard to keep of its states, by name. */
export const pasts: Signal<ReadonlyMap<string, Timeline>> = signal(new Map());

/** follow asks every data node for its past, and again whenever it tells of a change. It returns what ends that. */
export function follow(): () => void {
  const stop = new AbortController();
  const ends = dataNodes.value.map((m) => followOne(m, stop.signal));
  return () => {
    stop.abort();
    for (const end of ends) end();
  };
}

function followOne(m: Member, stop: AbortSignal): () => void {
  let askedAt = 0;
  let due = 0;
  let seen = -1; // changes that were told of when it was asked last; -1: it is not heard
  const read = async () => {
    due = 0;
    askedAt = Date.now();
    try {
      const answer = await readTimeline(m.base, { from: askedAt - shown }, stop);
      pasts.value = new Map([...pasts.value, [m.name, answer]]);
    } catch {
      // Its stream says since when it is not reached; while that goes on, so do we.
      if (!stop.aborted && told(m) && !due) due = window.setTimeout(() => void read(), askLater);
    }
  };
  const end = effect(() => {
    const changes = ["write", "fault", "standing", "state"].reduce((sum, kind) => sum + (m.feed?.count(kind).value ?? 0), 0);
    const now = told(m) ? changes : -1;
    if (now === seen) return;
    seen = now;
    if (now >= 0 && !due) due = window.setTimeout(() => void read(), Math.max(0, askedAt + askEvery - Date.now()));
  });
  return () => {
    end();
    clearTimeout(due);
  };
}

/** signOf is a state of the API as a sign of the page. */
export const signOf = (state: string): State => (state === "writable" || state === "override" ? "writable" : state === "read-only" ? "readonly" : state === "down" ? "down" : "unknown");

/** spansOf are the states of a node: what it keeps, then what it says now. What it did while it is not heard is unknown. */
export function spansOf(m: Member, kept: Timeline | undefined, from: number, to: number): Span[] {
  const c = connection(m);
  const heard = c.state === "lost" ? Math.min(to, c.since) : to;
  const spans: Span[] = [];
  const add = (span: Span) => {
    const last = spans.at(-1);
    if (last) last.to = Math.min(last.to, span.from);
    spans.push(span);
  };
  for (const e of kept ? [...kept.before, ...kept.entries] : []) {
    const at = Math.max(from, Date.parse(e.time));
    if (e.kind === "write" && at < heard) add({ from: at, to: heard, state: signOf(e.state), word: wordOf(e) });
  }
  const gaps = (kept?.unknown ?? []).map((g): Span => ({ from: Math.max(from, Date.parse(g.from)), to: Math.min(heard, Date.parse(g.to)), state: "unknown", word: "unknown", title: g.cause }));
  const all = [...cutBy(spans, gaps), ...gaps.filter((g) => g.to > g.from)].sort((x, y) => x.from - y.from);
  if (c.state === "lost") all.push({ from: heard, to, state: "down", word: "not reached", title: c.why });
  if (all.length === 0) all.push({ from, to, state: "unknown", word: "unknown" });
  return all;
}

const wordOf = (e: Entry): string => writeWords(e.state, e.cause);

/** cutBy takes gaps out of spans: no state reaches over a time in which the process was down. */
function cutBy(spans: Span[], gaps: Span[]): Span[] {
  return gaps.reduce<Span[]>(
    (left, g) =>
      left.flatMap((s) => {
        if (g.to <= s.from || g.from >= s.to) return [s];
        return [
          { ...s, to: g.from },
          { ...s, from: g.to },
        ].filter((part) => part.to > part.from);
      }),
    spans,
  );
}

/** Two ends of a link that were told within this time when a fault ends were told of the same one, in milliseconds. */
const sameFault = 2_000;

/** bandsOf are the faults that the nodes keep, each link once. */
export function bandsOf(from: number, to: number): Band[] {
  const bands: (Band & { key: string; until: number })[] = [];
  for (const kept of pasts.value.values()) {
    for (const e of [...kept.before, ...kept.entries]) {
      if (e.kind !== "fault") continue;
      const at = Math.max(from, Date.parse(e.time));
      const until = e.until ? Date.parse(e.until) : to;
      const key = [e.from, e.to, e.fault, e.both].join(" ");
      const known = bands.find((b) => b.key === key && Math.abs(b.until - until) < sameFault);
      if (known && e.state !== "begun") known.to = Math.max(from, at);
      if (!known && e.state === "begun") bands.push({ key, until, from: at, to: Math.min(to, until), label: `${e.from} ${e.both ? "↔" : "→"} ${e.to} ${e.fault}` });
    }
  }
  return bands.filter((b) => b.to > from);
}
