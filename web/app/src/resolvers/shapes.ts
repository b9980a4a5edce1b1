import { anything, flag, list, number, type Of, or, orNull, shape, text } from "../api/decode.ts";

const resolver = shape({ name: text, hash: text, who: text, at: text, used_by: list(text), etag: text });
export type Resolver = Of<typeof resolver>;

export const resolvers = shape({ resolvers: list(resolver) });

/** one is a resolver with its source. */
export const one = shape({ name: text, hash: text, who: text, at: text, used_by: list(text), etag: text, source: text });
export type One = Of<typeof one>;

const version = shape({ hash: text, who: text, at: text, present: flag, source: text });
export type Version = Of<typeof version>;

export const versions = shape({ name: text, versions: list(version) });

const problem = shape({ line: number, column: number, msg: text });
export type Problem = Of<typeof problem>;

const failure = shape({ kind: text, msg: text, line: or(number, 0), column: or(number, 0) });
export type Failure = Of<typeof failure>;

const scriptTest = shape({ name: text, passed: flag, failure: orNull(failure), output: text, steps: number });
export type ScriptTest = Of<typeof scriptTest>;

export const outcome = shape({
  verdict: text,
  doc: anything,
  notes: list(text),
  events: list(shape({ name: text, data: anything })),
  output: text,
  steps: number,
  failure: orNull(failure),
});
export type Outcome = Of<typeof outcome>;

const gateCase = shape({
  check: text,
  how: text,
  conflict: shape({ base: anything, siblings: list(shape({ node: text, deleted: flag, doc: anything })) }),
  want: orNull(outcome),
  got: orNull(outcome),
});
export type GateCase = Of<typeof gateCase>;

const gate = shape({
  passed: flag,
  conflicts: number,
  resolved: number,
  runs: number,
  complete: flag,
  diverged: list(gateCase),
  warnings: list(gateCase),
  failed: list(gateCase),
});
export type Gate = Of<typeof gate>;

/** findings are what a node found out about a source: of a check, and of a source that it would not store. */
export const findings = shape({
  problems: or(list(problem), []),
  tests: or(list(scriptTest), []),
  gate: or(orNull(gate), null),
});
export type Findings = Of<typeof findings>;

export const checked = shape({ ok: flag, hash: text, problems: list(problem), tests: list(scriptTest), gate: orNull(gate), result: orNull(outcome) });
export type Checked = Of<typeof checked>;

const value = orNull(shape({ deleted: flag, doc: anything }));

/** replayed is one line of a dry run; the last one has done and the counts. */
export const replayed = shape({
  done: or(flag, false),
  more: or(flag, false),
  id: or(text, ""),
  collection: or(text, ""),
  doc_id: or(text, ""),
  by: or(text, ""),
  outcome: or(text, ""),
  recorded: or(value, null),
  candidate: or(value, null),
  diff: or(list(shape({ path: text, before: anything, after: anything })), []),
  diff_more: or(flag, false),
  notes: or(list(text), []),
  failure: or(orNull(failure), null),
  reason: or(text, ""),
});
export type Replayed = Of<typeof replayed>;

/** past is a conflict to choose as an input. */
export const past = shape({ conflicts: list(shape({ id: text, state: text, collection: text, doc_id: text, by: orNull(text) })) });
