import { anything, flag, list, number, type Of, or, orNull, shape, table, text } from "../api/decode.ts";

const collection = shape({
  name: text,
  policy: shape({ kind: text, resolver: or(text, "") }),
  history: text,
  documents: number,
  tombstones: number,
  conflicts: number,
});
export type Collection = Of<typeof collection>;

export const collections = shape({ collections: list(collection), next: orNull(text) });

export const documents = shape({
  documents: list(shape({ id: text, dot: orNull(text), etag: text, conflicts: number, doc: anything })),
  next: orNull(text),
});

const sibling = shape({ dot: text, node: text, time: text, deleted: flag, doc: anything });
export type Sibling = Of<typeof sibling>;

/** now is what a refused write says is there: 409 and 412 answer it, so that no second read is needed. */
export const now = shape({
  etag: or(text, ""),
  context: or(text, ""),
  conflicts: or(number, 0),
  conflict: or(text, ""),
  siblings: or(list(sibling), []),
});
export type Now = Of<typeof now>;

const version = shape({
  dot: text,
  node: text,
  time: text,
  deleted: flag,
  hidden: flag,
  size: number,
  clock: table(number),
  loose: or(list(text), []),
  live: flag,
  covered_by: or(text, ""),
  record: or(text, ""),
});
export type Version = Of<typeof version>;

export const history = shape({ complete: flag, versions: list(version), missing: list(text), next: orNull(text) });
export type History = Of<typeof history>;

export const changes = shape({
  from: text,
  to: orNull(text),
  changes: list(shape({ path: text, before: anything, after: anything })),
  more: flag,
});

export const explanation = shape({
  conflict: orNull(text),
  policy: shape({ kind: text, resolver: orNull(text), version: orNull(text) }),
  shown: shape({ dot: orNull(text), deleted: flag }),
  reason: text,
  waits: orNull(text),
  stable: flag,
  lost_more: number,
  waits_for: list(shape({ node: text, lacks: list(text) })),
  siblings: list(shape({ dot: text, node: text, time: text, deleted: flag, stable: flag, lost: list(shape({ path: text, value: anything })) })),
});
export type Explanation = Of<typeof explanation>;

export const written = shape({ dot: text });

/** result is a line of the answer to a bulk write. */
export const result = shape({
  done: or(flag, false),
  status: or(number, 0),
  problem: or(orNull(shape({ code: text, detail: text, title: text })), null),
});
export type Result = Of<typeof result>;
