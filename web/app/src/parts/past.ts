import type { Entry, Timeline } from "../api/shapes.ts";
import { connection, type Member, type State } from "../live/members.ts";
import type { Band, Span } from "./lanes.tsx";
import { writeWords } from "./writing.tsx";

/** signOf is a state of the API as a sign of the page. */
export const signOf = (state: string): State => (state === "writable" || state === "override" ? "writable" : state === "read-only" ? "readonly" : state === "down" ? "down" : "unknown");

/** Look is how a span is drawn. */
type Look = Pick<Span, "state" | "word" | "title">;

/** spansOf are the states of a data node over time: what it keeps, by its own word, and unknown where it does not say. */
export function spansOf(m: Member, kept: Timeline | null, from: number, to: number): Span[] {
  return filled(m, kept ? keptSpans(kept, from, to) : [], from, to, kept !== null);
}

/** filled makes spans whole: before the first of them, and since the process is not reached. */
export function filled(m: Member, spans: Span[], from: number, to: number, answered: boolean): Span[] {
  const first = spans[0]?.from ?? to;
  if (first > from) spans.unshift({ from, to: first, state: "unknown", word: "unknown", title: answered ? "it is older than what is kept" : "it has not answered this page" });
  // What it says now ends what it said; what it does not say any more, too.
  const c = connection(m);
  if (c.state === "lost") overlay(spans, { from: Math.max(from, c.since), to, state: "down", word: "not reached", title: c.why });
  return merged(spans);
}

function keptSpans(kept: Timeline, from: number, to: number): Span[] {
  const spans: Span[] = [];
  let is: Look = { state: "unknown", word: "unknown" };
  let since = from;
  const turn = (at: number, next: Look) => {
    if (at > since) spans.push({ from: since, to: at, ...is });
    [since, is] = [Math.max(at, since), next];
  };
  for (const e of [...kept.before, ...kept.entries]) {
    const look = lookOf(e);
    if (look) turn(Math.max(from, Date.parse(e.time)), look);
  }
  turn(to, is);
  for (const gap of kept.unknown) {
    overlay(spans, { from: Math.max(from, Date.parse(gap.from)), to: Math.min(to, Date.parse(gap.to)), state: "unknown", word: "unknown", title: gap.cause || "it did not run" });
  }
  return spans;
}

/** lookOf is what an entry makes of the state, or null where it is about something else. */
function lookOf(e: Entry): Look | null {
  if (e.kind === "process") return e.state === "stopped" ? { state: "down", word: "stopped" } : { state: "unknown", word: "starting" };
  if (e.kind !== "write") return null;
  return { state: signOf(e.state), word: writeWords(e.state, e.cause).toLowerCase() };
}

/** overlay puts a span over others, of which only what is beside it stays. */
function overlay(spans: Span[], over: Span): void {
  if (over.to <= over.from) return;
  const beside = spans.flatMap((s) => [
    ...(s.from < over.from ? [{ ...s, to: Math.min(s.to, over.from) }] : []),
    ...(s.to > over.to ? [{ ...s, from: Math.max(s.from, over.to) }] : []),
  ]);
  spans.splice(0, spans.length, ...[...beside, over].sort((a, b) => a.from - b.from));
}

/** merged makes one of spans that say the same. */
function merged(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const s of spans) {
    const last = out.at(-1);
    if (last && last.state === s.state && last.word === s.word && last.title === s.title && s.from - last.to < 1) last.to = s.to;
    else if (s.to > s.from) out.push({ ...s });
  }
  return out;
}

/** bandsOf are faults until they were healed or ran out, each once though both ends of its link tell of it. */
export function bandsOf(pasts: Iterable<Timeline>, from: number, to: number): Band[] {
  const all = [...pasts].flatMap((kept) => faultsOf(kept, to)).sort((a, b) => a.from - b.from);
  const bands: Band[] = [];
  for (const f of all) {
    const known = bands.find((b) => b.label === f.label && b.to >= f.from);
    if (known) known.to = Math.max(known.to, f.to);
    else bands.push(f);
  }
  return bands.filter((b) => b.to > from && b.to > b.from).map((b) => ({ ...b, from: Math.max(from, b.from) }));
}

/** faultsOf are those that one process has kept. With the process they end. */
function faultsOf(kept: Timeline, to: number): Band[] {
  const out: Band[] = [];
  const on = new Map<string, Band>();
  const end = (id: string, at: number) => {
    const f = on.get(id);
    if (f) f.to = Math.min(f.to, at);
    on.delete(id);
  };
  for (const e of [...kept.before, ...kept.entries]) {
    const at = Date.parse(e.time);
    if (e.kind === "process") for (const id of [...on.keys()]) end(id, at);
    if (e.kind !== "fault") continue;
    if (e.state !== "begun") {
      end(e.id, at);
      continue;
    }
    const band = { from: at, to: Math.min(to, e.until ? Date.parse(e.until) : to), label: `${e.from}${e.both ? "–" : "→"}${e.to} ${e.fault}` };
    on.set(e.id, band);
    out.push(band);
  }
  return out;
}
