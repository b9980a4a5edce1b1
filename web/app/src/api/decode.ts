// Decoders check what a node answers before the page uses it: a field that is
// missing or of another type is an error that names its path, never a silent
// "undefined" on the screen. Members that are not named are left alone, since
// the API only adds.

import { isObject, toNumber } from "./exact.ts";

/** Decoder makes a T of what came as JSON, or throws a DecodeError. */
export type Decoder<T> = (value: unknown, path: string) => T;

/** Of is the type that a decoder makes. */
export type Of<D> = D extends Decoder<infer T> ? T : never;

/** DecodeError says where an answer differs from the API. */
export class DecodeError extends Error {
  constructor(path: string, want: string, got: unknown) {
    const is = got === null ? "null" : Array.isArray(got) ? "an array" : typeof got;
    super(`the answer has ${is} at ${path || "its root"}, where the API says ${want}`);
    this.name = "DecodeError";
  }
}

export const text: Decoder<string> = (v, path) => {
  if (typeof v !== "string") throw new DecodeError(path, "a string", v);
  return v;
};

export const number: Decoder<number> = (v, path) => {
  const n = toNumber(v);
  if (n === null) throw new DecodeError(path, "a number", v);
  return n;
};

export const flag: Decoder<boolean> = (v, path) => {
  if (typeof v !== "boolean") throw new DecodeError(path, "true or false", v);
  return v;
};

/** anything is JSON that belongs to somebody else: a document, or a part of one. */
export const anything: Decoder<unknown> = (v) => v;

/** orNull is for fields that are null where they are not known. */
export const orNull =
  <T>(inner: Decoder<T>): Decoder<T | null> =>
  (v, path) =>
    v === null || v === undefined ? null : inner(v, path);

/** or gives what a field that is left out means. */
export const or =
  <T>(inner: Decoder<T>, absent: T): Decoder<T> =>
  (v, path) =>
    v === undefined ? absent : inner(v, path);

export const list =
  <T>(inner: Decoder<T>): Decoder<T[]> =>
  (v, path) => {
    if (!Array.isArray(v)) throw new DecodeError(path, "an array", v);
    return v.map((one, i) => inner(one, `${path}/${i}`));
  };

/** table is an object with keys that are data, such as actors. */
export const table =
  <T>(inner: Decoder<T>): Decoder<Map<string, T>> =>
  (v, path) => {
    if (!isObject(v)) throw new DecodeError(path, "an object", v);
    return new Map(Object.entries(v).map(([key, one]) => [key, inner(one, `${path}/${key}`)]));
  };

export const shape =
  <S extends Record<string, Decoder<unknown>>>(members: S): Decoder<{ [K in keyof S]: Of<S[K]> }> =>
  (v, path) => {
    if (!isObject(v)) throw new DecodeError(path, "an object", v);
    const out = {} as { [K in keyof S]: Of<S[K]> };
    for (const name in members) {
      const decode = members[name] as Decoder<Of<S[typeof name]>>;
      out[name] = decode(v[name], `${path}/${name}`);
    }
    return out;
  };
