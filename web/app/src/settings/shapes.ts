import { flag, list, number, type Of, or, orNull, shape, table, text } from "../api/decode.ts";

const member = shape({ name: text, role: text, api: text, peer: text, priority: number });

const timing = shape({ beat_ms: number, lease_ms: number, bound_ms: number });
export type Timing = Of<typeof timing>;

/** process is what each member says of itself, the witness too. */
export const process = shape({
  node: text,
  build: text,
  roster: shape({ epoch: number, members: list(member) }),
  timing: or(orNull(timing), null), // a data node's
  disk: or(orNull(shape({ free_bytes: number, low: flag })), null),
});
export type Process = Of<typeof process>;

export const version = shape({ build: text, go: text, started: text });
export type Version = Of<typeof version>;

const policy = shape({ kind: text, path: or(text, ""), resolver: or(text, ""), rules: or(orNull(table(text)), null), default: or(text, "") });

export const collection = shape({
  name: text,
  policy,
  ack: text,
  minority: text,
  require_context: flag,
  delete: text,
  history: text,
  records: text,
  limits: shape({ body: number }),
  etag: orNull(text), // null: the defaults
  documents: number,
  conflicts: number,
});
export type Collection = Of<typeof collection>;

export const collections = shape({ collections: list(collection), next: orNull(text) });

/** described is what a node says of its routes. */
export const described = shape({ paths: table(table(shape({ summary: or(text, "") }))) });

