import { anything, flag, list, number, or, orNull, shape, text, type Of } from "../api/decode.ts";

/** account is the document of the tour. */
export const account = shape({ balance: number });

const value = shape({ dot: orNull(text), deleted: flag, doc: orNull(anything) });
const side = shape({ dot: text, node: text, time: text, deleted: flag, doc: orNull(anything) });
const event = shape({ name: text, data: anything });

/** conflict is what the tour shows of one. */
export const conflict = shape({
  id: text,
  state: text,
  by: orNull(text),
  doc_id: text,
  reason: text,
  base: orNull(anything),
  base_exact: flag,
  siblings: list(side),
  shown: orNull(value),
  result: orNull(value),
  run: orNull(shape({ notes: or(list(text), []), events: or(list(event), []) })),
});
export type Conflict = Of<typeof conflict>;

export const inbox = shape({ conflicts: list(shape({ id: text, doc_id: text })) });

/** checked is what a resolver would make of the conflict. */
export const checked = shape({
  ok: flag,
  result: orNull(shape({ verdict: text, doc: orNull(anything), notes: or(list(text), []), events: or(list(event), []) })),
});

/** config is what tells two versions of a collection's configuration apart. */
export const config = shape({ dot: orNull(text) });

/** rejected is what the bank's rule tells of a withdrawal that it did not take. */
export const rejected = shape({ node: text, amount: number });
