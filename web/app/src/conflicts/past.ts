import type { Timeline } from "../api/shapes.ts";
import { readTimeline } from "../api/timeline.ts";
import type { Member } from "../live/members.ts";

/** Pasts is what the nodes say of a time, and who said nothing. */
export interface Pasts {
  pasts: Timeline[];
  silent: string[];
}

/** pastsOf asks every node itself for what became of its state between two instants. */
export async function pastsOf(nodes: readonly Member[], from: number, to: number, signal: AbortSignal): Promise<Pasts> {
  const answers = await Promise.allSettled(nodes.map((m) => readTimeline(m.base, { from, to }, signal)));
  return {
    pasts: answers.flatMap((a) => (a.status === "fulfilled" ? a.value : [])),
    silent: nodes.filter((_, i) => answers[i]?.status === "rejected").map((m) => m.name),
  };
}
