import { signal } from "@preact/signals";
import { ask, Refused, send } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import type { Fault } from "../api/shapes.ts";
import { dataNodes, faults, told, type Member } from "../live/members.ts";
import { account, conflict, inbox, type Conflict } from "./shapes.ts";

// The tour has a collection of its own, so that it takes nothing away from
// anybody, and works as often as somebody likes.
export const collection = "tour";
export const id = "alice";
export const path = `/v1/docs/${collection}/${id}`;

/** Side is what one node says of the account. */
export interface Side {
  name: string;
  base: string;
  balance: number | null; // null: there is none, or no account
  etag: string;
  versions: number; // live ones, when there are several; else 0
}

/** Facts are what both nodes say, each asked itself. A node that does not answer is null. */
export interface Facts {
  sides: [Side | null, Side | null];
  conflict: Conflict | null; // that is open
}

/** facts are null until both have been asked. */
export const facts = signal<Facts | null>(null);

/** How often the account is read while the tour is looked at, in milliseconds. */
const every = 500;

/** pair are the two data nodes, in the order of the roster. */
export function pair(): [Member, Member] | null {
  const [a, b] = dataNodes.value;
  return a && b ? [a, b] : null;
}

/** cutBetween is the fault that cuts the link between the two, by the word of either; null: none. */
export function cutBetween(a: Member, b: Member): Fault | null {
  const between = (f: Fault) => (f.from === a.name && f.to === b.name) || (f.from === b.name && f.to === a.name);
  return faults.value.find(({ fault }) => fault.kind === "cut" && between(fault))?.fault ?? null;
}

async function read(m: Member, signal: AbortSignal): Promise<Side | null> {
  const side = { name: m.name, base: m.base, balance: null, etag: "", versions: 0 };
  try {
    const reply = await send({ base: m.base, method: "GET", path }, signal);
    const count = Number(reply.headers.get("Conflict-Count") ?? 0);
    return { ...side, balance: account(parse(reply.text), "").balance, etag: reply.headers.get("ETag") ?? "", versions: count };
  } catch (error) {
    return error instanceof Refused && error.problem.status === 404 ? side : null;
  }
}

/** readConflict is the conflict of the account that is open at a node. */
async function readConflict(base: string, known: Conflict | null, signal: AbortSignal): Promise<Conflict | null> {
  const { conflicts } = await ask(base, `/v1/conflicts?state=open&c=${collection}`, inbox, signal);
  const open = conflicts.find((c) => c.doc_id === id);
  if (!open) return null;
  return known?.id === open.id ? known : ask(base, `/v1/conflicts/${open.id}`, conflict, signal);
}

/** look reads the account at both nodes. */
export async function look(signal: AbortSignal): Promise<void> {
  const nodes = pair();
  if (!nodes) return;
  const sides = await Promise.all([read(nodes[0], signal), read(nodes[1], signal)]);
  const torn = sides.find((s) => s && s.versions > 1);
  // Between two questions the conflict may end: then there is none to show.
  const open = torn ? await readConflict(torn.base, facts.value?.conflict ?? null, signal).catch(() => null) : null;
  if (!signal.aborted) facts.value = { sides, conflict: open };
}

/** watch reads the account again and again, until it is told to stop. */
export function watch(): () => void {
  const stop = new AbortController();
  const loop = async () => {
    while (!stop.signal.aborted) {
      await look(stop.signal);
      await new Promise((done) => setTimeout(done, every));
    }
  };
  void loop();
  return () => stop.abort();
}

/** Landing is where the vote is after a cut: who writes on, and who does not. */
export interface Landing {
  writes: Member;
  refuses: Member;
}

/** landing is null while it is open, or while a node does not say. */
export function landing(): Landing | null {
  const nodes = pair();
  const [a, b] = nodes ?? [];
  const [ofA, ofB] = [a && told(a)?.node?.write, b && told(b)?.node?.write];
  if (!a || !b || !ofA || !ofB) return null;
  // A node that is about to renew its lease refuses for milliseconds: that is no landing.
  const out = (w: typeof ofA) => w.state === "read-only" && w.votes.have < w.votes.need;
  if (out(ofA) === out(ofB)) return null;
  return out(ofA) ? { writes: b, refuses: a } : { writes: a, refuses: b };
}
