import type { Summary } from "./shapes.ts";

/** sameEpisode is how much later than all of an episode a conflict may begin that still belongs to it, in milliseconds: as the nodes have it. */
const sameEpisode = 60_000;

/** Episode is a group of conflicts between the same nodes, one soon after the other: those of one partition. */
export interface Episode {
  id: string; // as the nodes name it; of open ones, which no node has grouped yet, made up here
  nodes: string[];
  from: number; // the oldest sibling
  to: number; // the newest
  conflicts: Summary[]; // by collection and id
}

/**
 * episodesOf groups conflicts, the newest episode first. Records say which one
 * they are in. A node groups a conflict when it ends, so open ones are put here
 * where the nodes' rule would put them.
 */
export function episodesOf(conflicts: readonly Summary[]): Episode[] {
  const groups = new Map<string, Episode>();
  for (const c of conflicts) {
    if (c.state === "open") continue;
    const key = c.episode ?? `one node ${c.siblings[0]?.node ?? ""}`;
    add(groups, key, c);
  }
  for (const c of conflicts.filter((one) => one.state === "open").sort((x, y) => begin(x) - begin(y))) {
    const nodes = nodesOf(c).join(" ");
    const fits = [...groups.values()].find((e) => e.nodes.join(" ") === nodes && begin(c) - e.to <= sameEpisode && e.from - end(c) <= sameEpisode);
    add(groups, fits?.id ?? `open ${c.id}`, c);
  }
  const out = [...groups.values()].sort((x, y) => y.to - x.to);
  for (const e of out) e.conflicts.sort(byKey);
  return out;
}

function add(groups: Map<string, Episode>, id: string, c: Summary): void {
  const is = groups.get(id);
  if (!is) {
    groups.set(id, { id, nodes: nodesOf(c), from: begin(c), to: end(c), conflicts: [c] });
    return;
  }
  is.from = Math.min(is.from, begin(c));
  is.to = Math.max(is.to, end(c));
  is.conflicts.push(c);
}

const begin = (c: Summary): number => Date.parse(c.siblings[0]?.time ?? c.at ?? "");
const end = (c: Summary): number => Date.parse(c.siblings.at(-1)?.time ?? c.at ?? "");
export const nodesOf = (c: Summary): string[] => [...new Set(c.siblings.map((s) => s.node))].sort();

const compare = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
const byKey = (x: Summary, y: Summary): number => compare(x.collection, y.collection) || compare(x.doc_id, y.doc_id) || compare(x.id, y.id);

/** tally says how an episode's conflicts ended: "37 conflicts, 35 by LWW, 2 open". */
export function tally(e: Episode): string {
  const ways = new Map<string, number>();
  for (const c of e.conflicts) ways.set(way(c), (ways.get(way(c)) ?? 0) + 1);
  const n = e.conflicts.length;
  const said = [...ways].sort(([x], [y]) => Number(x === "open") - Number(y === "open")).map(([w, k]) => `${k.toLocaleString("en")} ${w}`);
  return `${n.toLocaleString("en")} ${n === 1 ? "conflict" : "conflicts"}, ${said.join(", ")}`;
}

/** way is how a conflict ended, in words. */
export function way(c: { state: string; by: string | null; policy: { kind: string } }): string {
  if (c.state === "open") return "open";
  const ways: Record<string, string> = { policy: `by ${c.policy.kind === "lww" ? "LWW" : c.policy.kind}`, script: "by script", person: "by a person", overwritten: "overwritten" };
  return ways[c.by ?? ""] ?? "ended";
}
