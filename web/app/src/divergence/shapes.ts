import { flag, list, number, type Of, orNull, shape, text } from "../api/decode.ts";

export const divergence = shape({
  node: text,
  rows: list(shape({ node: text, actor: text, versions: orNull(number), seconds: orNull(number), unknown_since: orNull(text) })),
});
export type Behind = Of<typeof divergence>["rows"][number];

const copy = shape({ etag: text, dots: list(text), deleted: flag });
export type Copy = Of<typeof copy>;

export const differences = shape({
  node: text,
  with: text,
  documents: list(shape({ collection: text, id: text, here: orNull(copy), there: orNull(copy) })),
  next: orNull(text),
});
export type Differing = Of<typeof differences>["documents"][number];

export const collections = shape({ collections: list(shape({ name: text })) });

export const documents = shape({
  documents: list(shape({ id: text, dot: orNull(text), etag: text })),
  next: orNull(text),
});
