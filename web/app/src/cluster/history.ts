import { ask } from "../api/call.ts";
import type { Entry } from "../api/shapes.ts";
import { readTimeline } from "../api/timeline.ts";
import { connection, told, type Member, type State } from "../live/members.ts";
import type { Band, Lane, Span } from "../parts/lanes.tsx";
import { writeWords } from "../parts/writing.tsx";
import { ballots, type Ballots } from "./shapes.ts";
import { and } from "./words.ts";

/** reach is how far back the page looks, in milliseconds. */
export const reach = 15 * 60_000;

/** Past is what one process said of its past, and when it said so. */
export interface Past {
  at: number;
  from: number;
  entries: Entry[];
  before: Entry[];
  gaps: { from: number; to: number; cause: string }[];
  ballots: Ballots | null; // of a witness, which keeps no timeline
}

/** readPast asks one process for its last 15 minutes. */
export async function readPast(m: Member, signal: AbortSignal): Promise<Past> {
  const at = Date.now();
  const from = at - reach;
  if (m.role === "witness") {
    return { at, from, entries: [], before: [], gaps: [], ballots: await ask(m.base, "/v1/cluster/votes", ballots, signal) };
  }
  const { entries, before, unknown } = await readTimeline(m.base, { from }, signal);
  return { at, from, entries, before, gaps: unknown.map((g) => ({ from: Date.parse(g.from), to: Date.parse(g.to), cause: g.cause })), ballots: null };
}

/** laneOf is a process's state over time: by its own word, and unknown where it does not say. */
export function laneOf(m: Member, past: Past | null, from: number, to: number): Lane {
  const spans = past?.ballots ? givenSpans(past.ballots, past.at, from, to) : past ? writeSpans(past, from, to) : [];
  const first = spans[0]?.from ?? to;
  if (first > from) spans.unshift({ from, to: first, state: "unknown", word: "unknown", title: past ? "it is older than what is kept" : "it has not answered this page" });
  // What it says now ends what it said; what it does not say any more, too.
  const c = connection(m);
  if (c.state === "lost") cutOff(spans, Math.max(from, c.since), to, { state: "down", word: "not reached", title: c.why });
  return { name: m.name, spans: merged(spans) };
}

interface Look {
  state: State;
  word: string;
  title?: string;
}

/** cutOff ends all spans at a time and says something else from there on. */
function cutOff(spans: Span[], at: number, to: number, look: Look): void {
  const kept = spans.filter((s) => s.from < at).map((s) => ({ ...s, to: Math.min(s.to, at) }));
  spans.splice(0, spans.length, ...kept, { from: at, to, ...look });
}

function writeSpans(past: Past, from: number, to: number): Span[] {
  const spans: Span[] = [];
  let is: Look = { state: "unknown", word: "unknown" };
  let since = from;
  const turn = (at: number, next: Look) => {
    if (at > since) spans.push({ from: since, to: at, ...is });
    [since, is] = [Math.max(at, since), next];
  };
  for (const e of [...past.before, ...past.entries]) {
    const look = lookOf(e);
    if (look) turn(Math.max(from, Date.parse(e.time)), look);
  }
  turn(to, is);
  for (const gap of past.gaps) overlay(spans, { from: Math.max(from, gap.from), to: gap.to, state: "unknown", word: "unknown", title: gap.cause || "it did not run" });
  return spans;
}

/** lookOf is what an entry makes of the state, or null where it is about something else. */
function lookOf(e: Entry): Look | null {
  if (e.kind === "process") return e.state === "stopped" ? { state: "down", word: "stopped" } : { state: "unknown", word: "starting" };
  if (e.kind !== "write") return null;
  const writes = e.state === "writable" || e.state === "override";
  return { state: writes ? "writable" : "readonly", word: writeWords(e.state, e.cause).toLowerCase() };
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

/** held is for how long a witness's vote is given at most after its last answer, in milliseconds: the default lease and its margin. */
const held = 1_650;

/** givenSpans are the times in which a witness gave its vote, by its log of ballots. */
function givenSpans({ log }: Ballots, read: number, from: number, to: number): Span[] {
  const first = Math.min(...log.map((e) => Date.parse(e.time)));
  if (!Number.isFinite(first)) return [];
  // What was given when it was read goes on: it is read again once that changes.
  const until = (last: number) => (last + held >= read ? to : last + held);
  const grants = log.filter((e) => e.kind === "grant").map((e) => ({ to: e.to, from: Date.parse(e.time), until: until(Date.parse(e.last)) }));
  const edges = [...new Set([Math.max(from, first), ...grants.flatMap((g) => [g.from, g.until]), to])].filter((t) => t >= Math.max(from, first) && t <= to).sort((a, b) => a - b);
  return edges.slice(0, -1).map((at, i): Span => {
    const holders = [...new Set(grants.filter((g) => g.from <= at && g.until > at).map((g) => g.to))].sort();
    const end = edges[i + 1] ?? to;
    return holders.length ? { from: at, to: end, state: "writable", word: `vote: ${and(holders)}` } : { from: at, to: end, state: "readonly", word: "vote: nobody" };
  });
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

/** bandsOf are faults, each once though both ends tell of it, until they were healed or ran out. */
export function bandsOf(pasts: Iterable<Past>, to: number): Band[] {
  const bands = new Map<string, Band>();
  for (const past of pasts) {
    const on = new Map<string, { from: number; label: string; until: number }>();
    const end = (id: string, at: number) => {
      const f = on.get(id);
      if (!f) return;
      on.delete(id);
      const key = `${f.label} ${Math.round(f.from / 1000)}`;
      const old = bands.get(key);
      bands.set(key, { from: Math.min(f.from, old?.from ?? f.from), to: Math.max(at, old?.to ?? at), label: f.label });
    };
    for (const e of [...past.before, ...past.entries]) {
      const at = Date.parse(e.time);
      if (e.kind === "process") for (const id of [...on.keys()]) end(id, at);
      if (e.kind !== "fault") continue;
      if (e.state === "begun") on.set(e.id, { from: at, label: `${e.from}${e.both ? "–" : "→"}${e.to} ${e.fault}`, until: e.until ? Date.parse(e.until) : Infinity });
      else end(e.id, at);
    }
    for (const [id, f] of [...on]) end(id, Math.min(to, f.until));
  }
  return [...bands.values()];
}

/** changed is what must be read again when it changes: writes, links and faults of all that answer. */
export const changed = (members: readonly Member[]): string =>
  JSON.stringify(members.map((m) => {
    const t = told(m);
    return [m.name, t !== null, t?.node?.write.state, t?.node?.write.cause, t?.witness && t.votes.voters.map((v) => v.granted), t?.links.map((l) => l.state), t?.faults.map((f) => f.id)];
  }));
