import { list, number, type Of, or, orNull, shape, text, flag } from "../api/decode.ts";

const entry = shape({
  time: text,
  kind: text,
  state: or(text, ""),
  cause: or(text, ""),
  from: or(text, ""),
  to: or(text, ""),
  id: or(text, ""),
  fault: or(text, ""),
  both: or(flag, false),
  until: orNull(text),
});
export type Entry = Of<typeof entry>;

/** timeline is GET /v1/timeline of a data node. */
export const timeline = shape({
  from: text,
  to: text,
  before: list(entry),
  entries: list(entry),
  unknown: list(shape({ from: text, to: text, cause: text })),
  next: orNull(text),
});
export type Timeline = Of<typeof timeline>;

const given = shape({ time: text, last: text, count: number, kind: text, to: text, reason: text });

/** ballots is GET /v1/cluster/votes of a witness: equal answers to one node are one entry, from time to last. */
export const ballots = shape({ state: text, log: list(given) });
export type Ballots = Of<typeof ballots>;
