import { ask, Refused, segment, Silent } from "../api/call.ts";
import type { Member } from "../live/members.ts";
import { collections, differences, type Differing, documents } from "./shapes.ts";

/** pageOf is how many documents are asked for at once. */
const pageOf = 1_000;
/** mostCompared is how many documents of a node the browser looks at when the nodes cannot compare themselves. */
const mostCompared = 50_000;
/** mostListed is how many differing documents are listed. */
export const mostListed = 200;

/** Found are the documents that differ between two nodes. */
export interface Found {
  documents: Differing[];
  more: boolean;
  how: string; // who compared
}

/**
 * compare finds the documents that differ between two nodes. The nodes compare
 * digests themselves. Where the link between them is dead, this browser may
 * still reach both, and compares their lists.
 */
export async function compare(here: Member, there: Member, signal: AbortSignal): Promise<Found> {
  try {
    const said: Differing[] = [];
    for (let cursor = ""; said.length < mostListed; ) {
      const path = `/v1/cluster/divergence/keys?node=${segment(there.name)}&limit=${mostListed}${cursor && `&cursor=${segment(cursor)}`}`;
      const page = await ask(here.base, path, differences, signal);
      said.push(...page.documents);
      if (page.next === null) return { documents: said, more: false, how: `${here.name} compared its digests with ${there.name}'s` };
      cursor = page.next;
    }
    return { documents: said.slice(0, mostListed), more: true, how: `${here.name} compared its digests with ${there.name}'s` };
  } catch (error) {
    if (signal.aborted || !(error instanceof Refused)) throw error;
    return compareLists(here, there, signal);
  }
}

interface Entry {
  collection: string;
  id: string;
  etag: string;
  dot: string | null; // null where no one version is shown
}

/** entries are all documents of a node, in the order of collection and id, page by page. */
async function* entries(m: Member, names: readonly string[], signal: AbortSignal): AsyncGenerator<Entry> {
  for (const collection of names) {
    for (let cursor: string | null = ""; cursor !== null; ) {
      const path: string = `/v1/docs/${segment(collection)}?limit=${pageOf}${cursor && `&cursor=${segment(cursor)}`}`;
      const page: { documents: { id: string; etag: string; dot: string | null }[]; next: string | null } = await ask(m.base, path, documents, signal);
      for (const d of page.documents) yield { collection, ...d };
      cursor = page.next;
    }
  }
}

/** compareLists merges the lists of two nodes. What one of them has deleted is not in its list: there it says nothing. */
async function compareLists(here: Member, there: Member, signal: AbortSignal): Promise<Found> {
  const known = await Promise.all([here, there].map((m) => ask(m.base, "/v1/collections", collections, signal)));
  const names = [...new Set(known.flatMap((k) => k.collections.map((c) => c.name)))].sort(byBytes);
  const [left, right] = [entries(here, names, signal), entries(there, names, signal)];
  const found: Differing[] = [];
  let [x, y] = [await left.next(), await right.next()];
  let seen = 0;
  for (; (!x.done || !y.done) && found.length < mostListed && seen < mostCompared; seen++) {
    const order = x.done ? 1 : y.done ? -1 : inOrder(x.value, y.value, names);
    const a = !x.done && order <= 0 ? x.value : null;
    const b = !y.done && order >= 0 ? y.value : null;
    const one = a ?? b;
    if (one && a?.etag !== b?.etag) found.push({ collection: one.collection, id: one.id, here: copyOf(a), there: copyOf(b) });
    if (a) x = await left.next();
    if (b) y = await right.next();
  }
  const how = `${here.name} does not reach ${there.name}, so this browser compared what both list`;
  return { documents: found, more: !x.done || !y.done, how };
}

const copyOf = (e: Entry | null) => e && { etag: e.etag, dots: e.dot === null ? [] : [e.dot], deleted: false };

const inOrder = (a: Entry, b: Entry, names: readonly string[]): number =>
  names.indexOf(a.collection) - names.indexOf(b.collection) || byBytes(a.id, b.id);

/** byBytes is the order of the API's lists: that of the UTF-8 bytes, which is that of code points. */
function byBytes(a: string, b: string): number {
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const by = (x[i]?.codePointAt(0) ?? 0) - (y[i]?.codePointAt(0) ?? 0);
    if (by) return by;
  }
  return x.length - y.length;
}

/** valueAt is what a node shows of a document now, or why it shows nothing. */
export async function valueAt(m: Member, d: { collection: string; id: string }, signal: AbortSignal): Promise<{ value: unknown; why: string }> {
  try {
    return { value: await ask(m.base, `/v1/docs/${segment(d.collection)}/${segment(d.id)}`, (v) => v, signal), why: "" };
  } catch (error) {
    if (error instanceof Refused && error.problem.status === 404) return { value: undefined, why: error.problem.code === "deleted" ? "deleted" : "nothing there" };
    if (error instanceof Silent) return { value: undefined, why: `unknown: ${error.message}` };
    throw error;
  }
}
