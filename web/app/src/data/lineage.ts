import type { Version } from "./shapes.ts";

/** Place is where a version stands in the graph: its lane is its node, its column its place in the order of causes. */
export interface Place {
  version: Version;
  column: number;
  from: number[]; // columns of the versions that its writer had seen last
}

/** sequence splits a dot into its actor and the number of the write. */
function sequence(dot: string): { actor: string; n: number } {
  const colon = dot.lastIndexOf(":");
  return { actor: dot.slice(0, colon), n: Number(dot.slice(colon + 1)) };
}

/** sees says whether the writer of one version had seen another. */
function sees(one: Version, other: Version): boolean {
  const { actor, n } = sequence(other.dot);
  return (one.clock.get(actor) ?? 0) >= n || one.loose.includes(other.dot);
}

/** lineage sets versions in an order in which causes come first, and links each to the last that its writer had seen. */
export function lineage(versions: Version[]): Place[] {
  const weight = (v: Version) => versions.filter((other) => other !== v && sees(v, other)).length;
  const ordered = versions
    .map((version) => ({ version, weight: weight(version) }))
    .sort((a, b) => a.weight - b.weight || a.version.time.localeCompare(b.version.time))
    .map(({ version }) => version);
  return ordered.map((version, column) => {
    const seen = ordered.slice(0, column).filter((other) => sees(version, other));
    const last = seen.filter((one) => !seen.some((other) => other !== one && sees(other, one)));
    return { version, column, from: last.map((one) => ordered.indexOf(one)) };
  });
}
