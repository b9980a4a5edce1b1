import { computed, effect, untracked } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ask, Refused, send, Silent } from "../api/call.ts";
import { or, orNull, shape, text } from "../api/decode.ts";
import { parse } from "../api/exact.ts";
import { connection, dataNodes, told, viewedMember } from "../live/members.ts";
import type { Event } from "../live/told.ts";
import { heard } from "../parts/ask.ts";
import { cutsOf, blanksOf } from "./cuts.ts";
import { pastsOf } from "./past.ts";
import { type Conflict, conflict, explanation, type Explanation, type History, history } from "./shapes.ts";
import type { Blank, Cut } from "./spacetime.ts";

/** Seen is a conflict as a node has told it, and its document as it is now. */
export interface Seen {
  conflict: Conflict;
  etag: string; // of what the document shows now
}

/** look asks one node for one conflict. */
export async function look(base: string, id: string, signal: AbortSignal): Promise<Seen> {
  const reply = await send({ base, method: "GET", path: `/v1/conflicts/${encodeURIComponent(id)}` }, signal);
  return { conflict: conflict(parse(reply.text), ""), etag: reply.headers.get("ETag") ?? "" };
}

/** Evidence is what explains a conflict besides itself. A part that could not be had is null, and said so. */
export interface Evidence {
  explanation: Explanation | null; // of an open one
  history: History | null;
  cuts: Cut[];
  blanks: Blank[];
  silent: string[]; // nodes that do not say what they went through
}

/** around is how long before and after the versions the past of the nodes is asked for, in milliseconds. */
const around = 60_000;

/** evidence asks the viewed node for the document, and every node for its own past. */
export async function evidence(base: string, c: Conflict, signal: AbortSignal): Promise<Evidence> {
  const doc = `/v1/docs/${encodeURIComponent(c.collection)}/${encodeURIComponent(c.doc_id)}`;
  const times = c.siblings.map((s) => Date.parse(s.time));
  const until = c.at ? Math.max(Date.parse(c.at), ...times) + around : Date.now();
  const nodes = dataNodes.value.filter((m) => m.base);
  const [why, past, pasts] = await Promise.all([
    c.state === "open" ? orNothing(ask(base, `${doc}/explain`, explanation, signal)) : null,
    orNothing(ask(base, `${doc}/history?limit=1000`, history, signal)),
    pastsOf(nodes, Math.min(...times) - around, Math.min(until, Date.now()), signal),
  ]);
  return { explanation: why, history: past, cuts: cutsOf(pasts.pasts), blanks: blanksOf(pasts.pasts), silent: pasts.silent };
}

const orNothing = <T>(answer: Promise<T>): Promise<T | null> => answer.catch(() => null);

const told409 = shape({ conflict: or(text, "") });

/** replacedBy is the conflict that took the place of one, from an answer 409; "" where there is none any more; null of another error. */
export function replacedBy(error: unknown): string | null {
  if (!(error instanceof Refused) || error.problem.code !== "conflict_changed") return null;
  return told409(error.body, "").conflict;
}

/** quiet is since when the viewed node is silent, and why; null while it is heard. What was asked of it before is not what is. */
export function quiet(): { since: number; error: Silent } | null {
  const m = viewedMember.value;
  const c = m && connection(m);
  return c?.state === "lost" ? { since: c.since, error: new Silent(m?.base ?? "", c.why) } : null;
}

/** useEvents hears the events of the viewed node. Nothing is drawn anew for them: there may be hundreds a second. */
export function useEvents(hear: (event: Event) => void): void {
  const now = useRef(hear);
  now.current = hear;
  useEffect(
    () =>
      effect(() => {
        const event = viewedMember.value?.feed?.latest.value;
        if (event) untracked(() => now.current(event));
      }),
    [],
  );
}

const happened = shape({ id: or(text, ""), replaces: orNull(text) });

/** counts are the numbers of conflicts that the viewed node tells: a text, so that it is another one only when they are. */
const counts = computed(() => {
  const is = viewedMember.value && told(viewedMember.value)?.node?.conflicts;
  return is ? `${is.open} ${is.settled}` : "";
});

/** useChanges calls again when the viewed node tells that something became of a conflict, and when it is lost or comes back. */
export function useChanges(id: string, again: () => void): void {
  useEvents((event) => {
    if (event.event !== "conflict") return;
    const { id: one, replaces } = happened(event.data, "");
    if (one === id || replaces === id) again();
  });
  const first = useRef(true);
  useEffect(() => {
    // Of many at once a node tells only the first ones by their ids, but their number always.
    if (!first.current) again();
    first.current = false;
  }, [heard.value, counts.value]);
}
