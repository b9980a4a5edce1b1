import { print } from "../api/exact.ts";
import { align, deltaOf, sameCell } from "./align.ts";
import { signed } from "./decimal.ts";
import type { Conflict, Lost } from "./shapes.ts";
import { nodeOf } from "./spacetime.ts";

/** Loss is what became of a conflict's values, for one line of a list. */
export interface Loss {
  fields: string[]; // JSON pointers at which the siblings differ
  lost: string[]; // in words: "/balance: −100 lost, of a"
}

/** longest is how much of a value a list shows, in characters. */
const longest = 40;

/** lossOf says what is not in the result, or, of an open one, not in what is shown. */
export function lossOf(c: Conflict): Loss {
  const sides = c.siblings.filter((s) => !s.hidden);
  const columns = [{ deleted: false, doc: c.base }, ...sides.map((s) => ({ deleted: s.deleted, doc: s.doc }))];
  const lines = align(columns, sides.map((_, i) => i + 1)).lines.filter((l) => l.differs);
  const fields = lines.map((l) => l.pointer || "all of it");
  if (c.state !== "open") return { fields, lost: c.lost.filter((l) => l.change !== "0").map(wordsOf) }; // who had changed nothing lost nothing
  const shown = align([...columns, { deleted: c.shown?.deleted ?? false, doc: c.shown?.doc }], []).lines;
  const lost: string[] = [];
  for (const line of shown) {
    const now = line.cells.at(-1);
    const base = c.base_exact ? line.cells[0] : undefined;
    sides.forEach((side, i) => {
      const cell = line.cells[i + 1];
      if (!now || !cell || sameCell(cell, now) || (base && sameCell(cell, base))) return;
      const delta = deltaOf(cell, base);
      lost.push(`${line.pointer || "all of it"}: ${delta ? signed(delta) : cell.is === "value" ? short(cell.value) : cell.is} not shown, of ${side.node}`);
    });
  }
  return { fields, lost };
}

/** wordsOf is one member that the result does not have as a sibling had it. */
export function wordsOf(l: Lost): string {
  const path = l.path || "all of it";
  const of = nodeOf(l.dot);
  if (l.change !== null) return `${path}: ${signed(l.change)} lost, of ${of}`;
  return `${path}: ${short(l.value)} lost, of ${of}`;
}

function short(value: unknown): string {
  const text = print(value);
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
