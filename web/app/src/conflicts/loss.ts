import { print } from "../api/exact.ts";
import { align, type Cell, type Column, deltaOf, sameCell } from "./align.ts";
import { signed } from "./decimal.ts";
import type { Conflict, Lost, Side } from "./shapes.ts";
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
  const lines = align(columns, sides.map((_, i) => i + 1)).lines;
  const fields = lines.filter((l) => l.differs).map((l) => l.pointer || "all of it");
  if (c.state === "open") return { fields, lost: notShown(c, sides, columns) };
  const lost = c.lost.flatMap((l) => {
    const at = sides.findIndex((s) => s.dot === l.dot);
    const line = at < 0 ? undefined : lines.find((one) => one.pointer === l.path);
    const what = lostWords(l, line?.cells[at + 1], c.base_exact ? line?.cells[0] : undefined);
    return what === "" ? [] : `${l.path || "all of it"}: ${what} lost, of ${nodeOf(l.dot)}`;
  });
  return { fields, lost };
}

/** notShown is what the sides of an open conflict have, and the value shown has not. */
function notShown(c: Conflict, sides: readonly Side[], columns: readonly Column[]): string[] {
  const { lines } = align([...columns, { deleted: c.shown?.deleted ?? false, doc: c.shown?.doc }], []);
  return lines.flatMap((line) => {
    const now = line.cells.at(-1);
    const base = c.base_exact ? line.cells[0] : undefined;
    return sides.flatMap((side, i) => {
      const cell = line.cells[i + 1];
      if (!now || !cell || sameCell(cell, now) || (base && sameCell(cell, base))) return [];
      const delta = deltaOf(cell, base);
      return `${line.pointer || "all of it"}: ${delta ? signed(delta) : cellWords(cell)} not shown, of ${side.node}`;
    });
  });
}

/** lostWords says what of a member was lost: the difference that its writer had made, or the value; "" where that was nothing. */
export function lostWords(l: Lost, cell: Cell | undefined, base: Cell | undefined): string {
  if (l.change === "0" || (cell && base && sameCell(cell, base))) return ""; // who had changed nothing lost nothing
  if (l.change !== null) return signed(l.change);
  return cell ? cellWords(cell) : l.value === null ? "a value" : short(l.value);
}

function cellWords(cell: Cell): string {
  if (cell.is === "value") return short(cell.value);
  return { absent: "removal", deleted: "deletion", unknown: "a value" }[cell.is];
}

function short(value: unknown): string {
  const text = print(value);
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
