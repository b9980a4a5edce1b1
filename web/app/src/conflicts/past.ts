import { ask } from "../api/call.ts";
import type { Member } from "../live/members.ts";
import { type Timeline, timeline } from "./shapes.ts";

/** mostPages is how many pages of a node's past are read, of a thousand entries each. */
const mostPages = 5;

/** Pasts is what the nodes say of a time, and who said nothing. */
export interface Pasts {
  pasts: Timeline[];
  silent: string[];
}

/** pastsOf asks every node itself for what became of its state between two instants. */
export async function pastsOf(nodes: readonly Member[], from: number, to: number, signal: AbortSignal): Promise<Pasts> {
  const window = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const answers = await Promise.allSettled(nodes.map((m) => pastOf(m.base, window, signal)));
  return {
    pasts: answers.flatMap((a) => (a.status === "fulfilled" ? a.value : [])),
    silent: nodes.filter((_, i) => answers[i]?.status === "rejected").map((m) => m.name),
  };
}

async function pastOf(base: string, window: Record<string, string>, signal: AbortSignal): Promise<Timeline> {
  const whole = await ask(base, `/v1/timeline?${new URLSearchParams(window)}`, timeline, signal);
  for (let i = 1; i < mostPages && whole.next !== null; i++) {
    const page = await ask(base, `/v1/timeline?${new URLSearchParams({ ...window, cursor: whole.next })}`, timeline, signal);
    whole.entries.push(...page.entries);
    whole.next = page.next;
  }
  return whole;
}
