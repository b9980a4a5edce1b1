import { ask } from "./call.ts";
import { timeline, type Timeline } from "./shapes.ts";

/** The most entries that a node puts on one page, and how many pages are read: a link that flaps fast fills them. */
const pageSize = 1_000;
const mostPages = 5;

/** readTimeline asks a node for what became of its states between two instants, by default until now. Where next is not null, it has more. */
export async function readTimeline(base: string, window: { from: number; to?: number }, signal: AbortSignal): Promise<Timeline> {
  const query = new URLSearchParams({ from: new Date(window.from).toISOString(), limit: String(pageSize) });
  if (window.to !== undefined) query.set("to", new Date(window.to).toISOString());
  const whole = await ask(base, `/v1/timeline?${query}`, timeline, signal);
  for (let pages = 1; whole.next !== null && pages < mostPages; pages++) {
    query.set("cursor", whole.next);
    const page = await ask(base, `/v1/timeline?${query}`, timeline, signal);
    whole.entries.push(...page.entries);
    whole.next = page.next;
  }
  return whole;
}
