import { isObject } from "../api/exact.ts";
import type { Change } from "../parts/difference.ts";

/**
 * carry puts what one person changed onto what another one did. It gives up,
 * and returns undefined, where both touched one place or one touched what holds
 * the other's, and inside of arrays, where places move.
 */
export function carry(theirs: unknown, they: Change[], you: Change[]): unknown {
  const meets = (a: string, b: string) => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
  if (you.some((y) => they.some((t) => meets(t.path, y.path)))) return undefined;
  let value = theirs;
  for (const { path, after } of you) {
    if (path === "") return undefined;
    const steps = path.slice(1).split("/").map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"));
    value = put(value, steps, after);
    if (value === undefined) return undefined;
  }
  return value;
}

/** put returns a value with one member changed, or taken out when after is undefined; undefined where there is no such place. */
function put(value: unknown, [name, ...rest]: string[], after: unknown): unknown {
  if (!isObject(value) || name === undefined) return undefined;
  const changed = rest.length > 0 ? put(Object.hasOwn(value, name) ? value[name] : undefined, rest, after) : after;
  if (rest.length > 0 && changed === undefined) return undefined;
  // fromEntries defines members: one named "__proto__" stays a member.
  const members = Object.entries(value).map(([key, one]): [string, unknown] => [key, key === name ? changed : one]);
  if (!Object.hasOwn(value, name)) members.push([name, changed]);
  return Object.fromEntries(members.filter(([key]) => key !== name || changed !== undefined));
}
