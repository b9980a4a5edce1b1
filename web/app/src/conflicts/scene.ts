import { print } from "../api/exact.ts";
import { align } from "./align.ts";
import type { Evidence } from "./look.ts";
import type { Conflict } from "./shapes.ts";
import { endedAt } from "./words.ts";
import { heads, nodeOf, type Scene, type Version } from "./spacetime.ts";

/** mostDrawn is how many siblings are drawn; the table above has all. */
const mostDrawn = 12;
/** longestLabel is how much of a value stands beside a dot, in characters. */
const longestLabel = 8;

/** sceneOf is what is known of a conflict in space and time. */
export function sceneOf(c: Conflict, evidence: Evidence, roster: readonly string[]): Scene {
  const siblings = c.siblings.filter((s) => !s.hidden).slice(0, mostDrawn);
  const labels = labelsOf(c);
  const drawn = siblings.map(
    (s): Version => ({ dot: s.dot, time: Date.parse(s.time), kind: "sibling", deleted: s.deleted, label: labels(s.deleted, s.doc), clock: s.clock, loose: s.loose }),
  );
  if (c.result?.dot) {
    // The settlement covers its siblings: that is what ended the conflict.
    const covered = new Map(siblings.flatMap((s) => [[s.dot.slice(0, s.dot.lastIndexOf(":")), Number(s.dot.slice(s.dot.lastIndexOf(":") + 1))] as const]));
    const at = endedAt(c);
    drawn.push({ dot: c.result.dot, time: at === null ? null : Date.parse(at), kind: "result", deleted: c.result.deleted, label: labels(c.result.deleted, c.result.doc), clock: covered, loose: siblings.map((s) => s.dot) });
  }
  const versions = [...earlier(c, drawn, evidence, labels), ...drawn];
  const from = Math.min(...drawn.flatMap((v) => v.time ?? []));
  const to = Math.max(...drawn.flatMap((v) => v.time ?? []));
  const writers = versions.map((v) => nodeOf(v.dot));
  return {
    nodes: [...new Set([...roster, ...writers.toSorted()])],
    versions,
    cuts: evidence.cuts.filter((cut) => cut.from <= to && (cut.to ?? Infinity) >= from && cut.between.some((n) => writers.includes(n))),
    blanks: evidence.blanks,
  };
}

/** earlier are the versions that writers had seen, with their times where the history has them. */
function earlier(c: Conflict, drawn: readonly Version[], evidence: Evidence, label: (deleted: boolean, doc: unknown) => string): Version[] {
  const named = heads(drawn);
  return named.map((v) => {
    const known = evidence.history?.versions.find((h) => h.dot === v.dot);
    // With one version before all, the base is what it wrote.
    const text = named.length === 1 && c.base_exact ? label(false, c.base) : "";
    return known ? { ...v, time: Date.parse(known.time), deleted: known.deleted, clock: known.clock, loose: known.loose, label: text } : { ...v, label: text };
  });
}

/** labelsOf says a document by the first member in which the versions differ. */
function labelsOf(c: Conflict): (deleted: boolean, doc: unknown) => string {
  const columns = c.siblings.map((s) => ({ deleted: s.deleted, doc: s.doc }));
  const first = align(columns, columns.map((_, i) => i)).lines.find((l) => l.differs);
  return (deleted, doc) => {
    if (deleted) return "deleted";
    if (!first || doc === null || doc === undefined) return "";
    const cell = align([{ deleted, doc }], []).lines.find((l) => l.pointer === first.pointer)?.cells[0];
    const text = cell?.is === "value" ? print(cell.value) : "";
    return text.length <= longestLabel ? text : "";
  };
}
