import { effect, signal, type Signal } from "@preact/signals";
import type { Timeline } from "../api/shapes.ts";
import { readTimeline } from "../api/timeline.ts";
import { dataNodes, told, type Member } from "../live/members.ts";

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
