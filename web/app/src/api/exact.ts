// Documents keep their numbers as they were written: 12345678901234567890 and
// 1.10 are not what a browser's number would make of them.

interface RawJSON {
  readonly rawJSON: string;
}

declare global {
  interface JSON {
    rawJSON?(text: string): RawJSON;
    isRawJSON?(value: unknown): value is RawJSON;
  }
}

/** parse reads JSON. A number that would not be written the same way again is kept as its text. */
export function parse(text: string): unknown {
  const revive = (_: string, value: unknown, context?: { source?: string }): unknown => {
    const source = context?.source;
    if (typeof value !== "number" || source === undefined || String(value) === source || !JSON.rawJSON) return value;
    return JSON.rawJSON(source);
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** isNumber is true of plain numbers and of those kept as text. */
export const isNumber = (value: unknown): boolean => typeof value === "number" || JSON.isRawJSON?.(value) === true;

/** toNumber is the nearest number that the browser has, or null where it is none. */
export function toNumber(value: unknown): number | null {
  if (typeof value === "number") return value;
  return JSON.isRawJSON?.(value) ? Number(value.rawJSON) : null;
}

/** isObject is true of JSON objects only. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON?.(value);

/** print is JSON as text, numbers as they came. */
export const print = (value: unknown, indent?: number): string => JSON.stringify(value, null, indent) ?? "";

const unseen = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;

/** escapeUnseen writes characters that nobody sees, or that turn the order of what is seen, as JSON's escapes: the same text, but legible. */
export const escapeUnseen = (text: string): string => text.replaceAll(unseen, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** unseenIn are the places of such characters. */
export const unseenIn = (text: string): number[] => [...text.matchAll(unseen)].map((m) => m.index);

/** same is true of equal JSON: members in any order, numbers as they are written. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => same(one, b[i]));
  if (isObject(a) && isObject(b)) {
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
  }
  return print(a) === print(b);
}

/** step is one more step of a JSON pointer (RFC 6901). */
export const step = (pointer: string, name: string): string => `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
