import { anything, flag, list, number, type Of, or, orNull, shape, table, text } from "../api/decode.ts";

const policy = shape({ kind: text, version: orNull(text), resolver: orNull(text), resolver_version: orNull(text) });

/** side is one sibling, as lists have it. */
export const side = shape({ dot: text, node: text, time: text, deleted: flag, hidden: flag, size: number });

const facts = {
  id: text,
  state: text,
  by: orNull(text),
  collection: text,
  doc_id: text,
  policy,
  reason: text,
  open_reason: orNull(text),
  who: orNull(text),
  at: orNull(text),
  lost_count: number,
  episode: orNull(text),
};

/** summary is a conflict of a list. */
export const summary = shape({ ...facts, siblings: list(side) });
export type Summary = Of<typeof summary>;

export const page = shape({
  conflicts: list(summary),
  next: orNull(text),
  meta: shape({ open: number, records: number }),
});

/** seen is what the writer of a version had seen; null where that is not on record. */
const seen = { clock: orNull(table(number)), loose: or(list(text), []) };

const lost = shape({ dot: text, path: text, value: anything, delta: orNull(text), change: orNull(text) });
export type Lost = Of<typeof lost>;

const value = shape({ dot: orNull(text), deleted: flag, doc: anything });
export type Value = Of<typeof value>;

const whole = shape({ dot: text, node: text, time: text, deleted: flag, hidden: flag, size: number, ...seen, doc: anything });
export type Side = Of<typeof whole>;

const run = shape({
  notes: or(list(text), []),
  events: or(list(shape({ name: text, data: anything })), []),
  steps: number,
  output: or(text, ""),
  failure: or(text, ""),
  more: or(number, 0),
});
export type Run = Of<typeof run>;

/** conflict is one with all that explains it. */
export const conflict = shape({
  ...facts,
  run: orNull(run),
  lost: list(lost),
  trace: list(shape({ action: text, dot: orNull(text), who: text, at: text })),
  base: anything,
  base_exact: flag,
  siblings: list(whole),
  shown: orNull(value),
  result: orNull(value),
});
export type Conflict = Of<typeof conflict>;

/** explanation is why a document with an open conflict shows what it shows. */
export const explanation = shape({
  reason: text,
  waits: orNull(text),
  waits_for: list(shape({ node: text, lacks: list(text) })),
  siblings: list(shape({ dot: text, lost: list(lost) })),
});
export type Explanation = Of<typeof explanation>;

/** history is what a node has seen of a document. */
export const history = shape({
  complete: flag,
  versions: list(shape({ dot: text, node: text, time: text, deleted: flag, ...seen })),
});
export type History = Of<typeof history>;

/** decided is what a node says of a decision. */
export const decided = shape({ conflict: text, collection: text, id: text, dot: text });
export type Decided = Of<typeof decided>;

/** outcome is one line of a request about many conflicts; the last one has done. */
export const outcome = shape({
  done: or(flag, false),
  conflict: or(text, ""),
  collection: or(text, ""),
  id: or(text, ""),
  pick: orNull(text),
  same: or(flag, false),
  status: or(number, 0),
  dot: orNull(text),
  problem: orNull(shape({ title: text, detail: text, code: text })),
  verdict: or(text, ""),
  doc: anything,
  run: orNull(run),
  ok: or(number, 0),
  failed: or(number, 0),
  skipped: or(number, 0),
  more: or(flag, false),
});
export type Outcome = Of<typeof outcome>;
