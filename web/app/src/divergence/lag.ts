import { ask, Silent } from "../api/call.ts";
import { cluster } from "../api/shapes.ts";
import type { Member } from "../live/members.ts";
import { type Behind, divergence } from "./shapes.ts";

/** Cell is what a node lacks of the writes of one actor. */
export interface Cell {
  versions: number | null; // null: not known
  seconds: number | null; // age of the oldest that is missing; null: not known
  since: string | null; // since when one of the two has not heard the other
}

/** Row is what one node lacks of each actor. */
export interface Row {
  node: string;
  by: string; // who says so: the node itself, or another one that it is hearsay from; "" when nobody does
  cells: Map<string, Cell>; // by actor
  silent: string; // why the node itself says nothing, or ""
}

/** Word is what one node says: of itself what it has, and of all what it thinks they lack. */
interface Word {
  frontier: Map<string, number>;
  rows: Behind[];
}

/**
 * rowsOf asks every node what it has. During a cut the browser often still
 * reaches both sides, and then knows what neither of them does: how far apart
 * they are. Of a node that does not answer, another one's word is hearsay.
 */
export async function rowsOf(nodes: readonly Member[], signal: AbortSignal): Promise<Row[]> {
  const answers = await Promise.allSettled(nodes.map((m) => wordOf(m, signal)));
  signal.throwIfAborted();
  const words = new Map<string, Word>();
  const silent = new Map<string, string>();
  nodes.forEach((m, i) => {
    const answer = answers[i];
    if (answer?.status === "fulfilled") words.set(m.name, answer.value);
    else silent.set(m.name, String(answer?.reason instanceof Error ? answer.reason.message : answer?.reason));
  });
  return nodes.map((m) => {
    const own = words.get(m.name);
    const hearsay = [...words].find(([, word]) => word.rows.some((r) => r.node === m.name));
    const cells = own ? ownCells(m.name, own, words, silent) : new Map((hearsay?.[1].rows ?? []).filter((r) => r.node === m.name).map((r) => [r.actor, cellOf(r)]));
    return { node: m.name, by: own ? m.name : (hearsay?.[0] ?? ""), cells, silent: silent.get(m.name) ?? "" };
  });
}

async function wordOf(m: Member, signal: AbortSignal): Promise<Word> {
  if (!m.base) throw new Silent(m.name, "the roster has no API address of it");
  const [state, said] = await Promise.all([ask(m.base, "/v1/cluster", cluster, signal), ask(m.base, "/v1/cluster/divergence", divergence, signal)]);
  return { frontier: state.frontier, rows: said.rows };
}

const cellOf = (r: Behind): Cell => ({ versions: r.versions, seconds: r.seconds, since: r.unknown_since });

/** ownCells compare what a node has with what all that answer have. What a silent node has written, nobody knows. */
function ownCells(node: string, own: Word, words: Map<string, Word>, silent: Map<string, string>): Map<string, Cell> {
  const most = new Map<string, number>();
  for (const { frontier } of words.values()) {
    for (const [actor, seq] of frontier) most.set(actor, Math.max(seq, most.get(actor) ?? 0));
  }
  const said = new Map(own.rows.filter((r) => r.node === node).map((r) => [r.actor, cellOf(r)]));
  const cells = new Map(said);
  for (const [actor, seq] of most) {
    if (silent.has(nodeOf(actor))) continue;
    const versions = seq - (own.frontier.get(actor) ?? 0);
    const { seconds = null, since = null } = said.get(actor) ?? {};
    cells.set(actor, { versions, seconds: versions === 0 ? 0 : seconds || null, since });
  }
  return cells;
}

/** actorsOf are the columns: all actors, those of one node beside each other. */
export const actorsOf = (rows: readonly Row[]): string[] => [...new Set(rows.flatMap((r) => [...r.cells.keys()]))].sort();

/** nodeOf is the node that an actor is, or was, a life of. */
export const nodeOf = (actor: string): string => actor.split("~", 1)[0] ?? actor;
