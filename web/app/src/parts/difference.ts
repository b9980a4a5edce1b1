// How two documents differ, by JSON pointer. It is not left to a library: the
// one at hand leaves out members named "__proto__" and compares numbers as
// doubles, and what a page does not show it must not call equal.

import { isObject, same, step } from "../api/exact.ts";

/** Change is one place where two documents differ. undefined is "nothing there", which JSON cannot say. */
export interface Change {
  path: string; // JSON pointer
  before: unknown;
  after: unknown;
}

export interface Difference {
  changes: Change[];
  more: boolean; // there are more than are listed
}

/** mostChanges is how many changes are listed. */
const mostChanges = 500;

/** difference lists where two values differ. */
export function difference(before: unknown, after: unknown): Difference {
  const changes: Change[] = [];
  const walk = (path: string, a: unknown, b: unknown): void => {
    if (changes.length > mostChanges) return;
    if (isObject(a) && isObject(b)) members(path, a, b, walk);
    else if (Array.isArray(a) && Array.isArray(b)) elements(path, a, b, walk);
    else if (a === undefined || b === undefined || !same(a, b)) changes.push({ path, before: a, after: b });
  };
  walk("", before, after);
  return { changes: changes.slice(0, mostChanges), more: changes.length > mostChanges };
}

type Walk = (path: string, a: unknown, b: unknown) => void;

function members(path: string, a: Record<string, unknown>, b: Record<string, unknown>, walk: Walk): void {
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const inA = Object.hasOwn(a, name);
    const inB = Object.hasOwn(b, name);
    if (!inA || !inB || !same(a[name], b[name])) walk(step(path, name), inA ? a[name] : undefined, inB ? b[name] : undefined);
  }
}

/** elements leaves out what two arrays begin and end with alike. */
function elements(path: string, a: unknown[], b: unknown[], walk: Walk): void {
  let first = 0;
  while (first < a.length && first < b.length && same(a[first], b[first])) first++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - first && same(a[a.length - 1 - tail], b[b.length - 1 - tail])) tail++;
  const last = Math.max(a.length, b.length) - tail;
  for (let i = first; i < last; i++) {
    walk(step(path, String(i)), i < a.length - tail ? a[i] : undefined, i < b.length - tail ? b[i] : undefined);
  }
}
