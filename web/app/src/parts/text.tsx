import { useState } from "preact/hooks";
import { escapeUnseen, print } from "../api/exact.ts";

/** shortest is how long an id may be before its middle is cut. */
const shortest = 22;

/** middle cuts the middle of a long text. */
export const middle = (text: string, most = shortest): string =>
  text.length <= most ? text : `${text.slice(0, Math.ceil(most / 2) - 1)}…${text.slice(-Math.floor(most / 2) + 1)}`;

/** Id is an identifier: monospaced, cut in the middle, whole on hover. It isolates what writes right to left. */
export function Id({ value, most }: { value: string; most?: number }) {
  return (
    <bdi class="id" title={value}>
      {escapeUnseen(middle(value, most))}
    </bdi>
  );
}

/** long is how many characters of a value are shown before somebody asks for the rest. */
const long = 2_000;

/** Json is a value as text, and only ever text. undefined is "nothing there"; most is how many characters are shown at first. */
export function Json({ value, indent, most = long }: { value: unknown; indent?: number; most?: number }) {
  const [all, showAll] = useState(false);
  if (value === undefined) return <span class="muted">absent</span>;
  const text = escapeUnseen(print(value, indent));
  return (
    <bdi class={indent ? "json block" : "json"}>
      {all ? text : text.slice(0, most)}
      {!all && text.length > most && (
        <button type="button" class="link" onClick={() => showAll(true)}>
          … {text.length - most} characters more
        </button>
      )}
    </bdi>
  );
}

/** count is a number with its noun. */
export const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** bytes is a size in words. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${n < 10 && i > 0 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}
