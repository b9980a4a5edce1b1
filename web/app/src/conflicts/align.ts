import { isNumber, isObject, print, same, step } from "../api/exact.ts";
import { minus } from "./decimal.ts";

// Documents beside each other, member by member, aligned by JSON pointer.

/** Column is one document: null is one that nobody has here. */
export interface Column {
  deleted: boolean;
  doc: unknown;
}

/** Cell is what a document has at a pointer. */
export type Cell = { is: "value"; value: unknown } | { is: "absent" } | { is: "deleted" } | { is: "unknown" };

/** Step is a member's name or an element's place. */
export type Step = string | number;

/** Line is one member, or element, with what each document has there. */
export interface Line {
  pointer: string; // "" is the whole document
  steps: Step[];
  cells: Cell[]; // one a column
  differs: boolean; // not all documents that are compared have the same there
}

export interface Aligned {
  lines: Line[];
  more: boolean; // there are others, which were not looked at
}

/** maxLines is how many members are compared; a document of a megabyte has a hundred thousand. */
export const maxLines = 5_000;

const absent: Cell = { is: "absent" };
const gone: Cell = { is: "deleted" };
const unknown: Cell = { is: "unknown" };

/** missing stands for a member that an object does not have; undefined is no JSON, so nothing else is it. */
const missing = undefined;

/**
 * align puts columns beside each other. Objects are compared member by member,
 * arrays element by element, by their places; where documents have values of
 * different kinds, the values are compared whole. compared are the columns whose
 * differences count.
 */
export function align(columns: readonly Column[], compared: readonly number[], most = maxLines): Aligned {
  const out: Aligned = { lines: [], more: false };
  const docs = columns.map((c) => (c.deleted || c.doc === null || c.doc === undefined ? missing : c.doc));
  const stand = columns.map((c, i) => (c.deleted ? gone : docs[i] === missing ? unknown : null));
  const visit = (pointer: string, steps: Step[], values: unknown[]): void => {
    const inner = branches(values);
    for (const one of inner) {
      if (out.more) return;
      visit(step(pointer, String(one)), [...steps, one], values.map((v) => at(v, one)));
    }
    if (inner.length > 0) return;
    out.more = out.lines.length >= most;
    if (out.more) return;
    const cells = values.map((v, i): Cell => stand[i] ?? (v === missing ? absent : { is: "value", value: v }));
    out.lines.push({ pointer, steps, cells, differs: differs(cells, compared) });
  };
  visit("", [], docs);
  return out;
}

/** branches are the members that some value has, where all that are there have members; else none. */
function branches(values: readonly unknown[]): Step[] {
  const there = values.filter((v) => v !== missing);
  if (there.length > 0 && there.every(isObject)) return [...new Set(there.flatMap((v) => Object.keys(v)))];
  if (there.length > 0 && there.every((v) => Array.isArray(v))) {
    return Array.from({ length: Math.max(...there.map((v) => v.length)) }, (_, i) => i);
  }
  return [];
}

function at(value: unknown, one: Step): unknown {
  if (typeof one === "number") return Array.isArray(value) ? value[one] : missing;
  return isObject(value) && Object.hasOwn(value, one) ? value[one] : missing;
}

/** differs says whether documents that are known have different values; a deletion beside one document is a difference too. */
function differs(cells: readonly Cell[], compared: readonly number[]): boolean {
  const known = compared.flatMap((i) => cells[i] ?? []).filter((c) => c.is !== "unknown");
  const [first] = known;
  return first !== undefined && known.some((c) => !sameCell(c, first));
}

export function sameCell(a: Cell, b: Cell): boolean {
  if (a.is === "value" && b.is === "value") return same(a.value, b.value);
  return a.is === b.is;
}

/** Mark says how a cell is beside the base's. */
export type Mark = "same" | "changed" | "added" | "removed" | "deleted" | null;

/** markOf is null where nobody knows what there was before. */
export function markOf(cell: Cell, base: Cell | undefined): Mark {
  if (!base || base.is === "unknown" || cell.is === "unknown") return null;
  if (cell.is === "deleted") return "deleted";
  if (sameCell(cell, base)) return "same";
  if (base.is !== "value") return "added";
  return cell.is === "absent" ? "removed" : "changed";
}

/** deltaOf is the difference of two numbers, exactly; null where there are no two, or where they are equal. */
export function deltaOf(cell: Cell, base: Cell | undefined): string | null {
  if (cell.is !== "value" || base?.is !== "value" || !isNumber(cell.value) || !isNumber(base.value)) return null;
  const delta = minus(print(cell.value), print(base.value));
  return delta === "0" ? null : delta;
}

/** put returns a document with another value at some steps; without the member where the cell is not a value. */
export function put(doc: unknown, steps: readonly Step[], cell: Cell): unknown {
  const [first, ...rest] = steps;
  if (first === undefined) return cell.is === "value" ? cell.value : {};
  if (typeof first === "number") {
    const list: unknown[] = Array.isArray(doc) ? [...doc] : [];
    const place = Math.min(first, list.length);
    if (rest.length === 0 && cell.is !== "value") list.splice(place, 1);
    else list[place] = put(list[place], rest, cell);
    return list;
  }
  // By entries: a member named __proto__ is a member like any other.
  const entries = isObject(doc) ? Object.entries(doc) : [];
  const place = entries.findIndex(([name]) => name === first);
  if (rest.length === 0 && cell.is !== "value") return Object.fromEntries(entries.filter(([name]) => name !== first));
  const next: [string, unknown] = [first, put(entries[place]?.[1], rest, cell)];
  return Object.fromEntries(place < 0 ? [...entries, next] : entries.with(place, next));
}
