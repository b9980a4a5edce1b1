import { ask } from "../api/call.ts";
import type { Timeline } from "../api/shapes.ts";
import { readTimeline } from "../api/timeline.ts";
import { told, type Member } from "../live/members.ts";
import type { Lane, Span } from "../parts/lanes.tsx";
import { filled, spansOf } from "../parts/past.ts";
import { ballots, type Ballots } from "./shapes.ts";
import { and } from "./words.ts";

/** reach is how far back the page looks, in milliseconds. */
export const reach = 15 * 60_000;

/** Past is what one process said of its past, and when it said so. */
export interface Past {
  at: number;
  timeline: Timeline | null;
  ballots: Ballots | null; // of a witness, which keeps no timeline
}

/** readPast asks one process for its last 15 minutes. */
export async function readPast(m: Member, signal: AbortSignal): Promise<Past> {
  const at = Date.now();
  if (m.role === "witness") return { at, timeline: null, ballots: await ask(m.base, "/v1/cluster/votes", ballots, signal) };
  return { at, timeline: await readTimeline(m.base, { from: at - reach }, signal), ballots: null };
}

/** laneOf is a process's state over time. */
export function laneOf(m: Member, past: Past | null, from: number, to: number): Lane {
  const spans = past?.ballots ? filled(m, givenSpans(past.ballots, past.at, from, to), from, to, true) : spansOf(m, past?.timeline ?? null, from, to);
  return { name: m.name, spans };
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

/** changed is what must be read again when it changes: writes, links and faults of all that answer. */
export const changed = (members: readonly Member[]): string =>
  JSON.stringify(members.map((m) => {
    const t = told(m);
    return [m.name, t !== null, t?.node?.write.state, t?.node?.write.cause, t?.witness && t.votes.voters.map((v) => v.granted), t?.links.map((l) => l.state), t?.faults.map((f) => f.id)];
  }));
