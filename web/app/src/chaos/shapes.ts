import { flag, list, number, or, orNull, shape, text, type Of } from "../api/decode.ts";

const script = shape({ name: text, about: text, data: list(text), witness: text, fits: flag, why_not: text });
export type Script = Of<typeof script>;
export const scripts = shape({ scripts: list(script) });
export const source = shape({ source: text });

const preset = shape({ name: text, about: text, takes: list(text) });
export type Preset = Of<typeof preset>;
export const presets = shape({ presets: list(preset) });
/** placed is what came of a preset: who took its part, and who did not. */
export const placed = shape({ preset: text, unreachable: list(shape({ node: text, error: text })) });

export const step = shape({ seq: number, at: text, kind: text, line: number, text });
export type StepOf = Of<typeof step>;

const tick = shape({ at_ns: number, kind: text, count: number });
const lane = shape({ node: text, states: list(shape({ from_ns: number, to_ns: number, state: text })), ticks: orNull(list(tick)) });
export const timeline = shape({
  took_ns: number,
  lanes: orNull(list(lane)),
  bands: orNull(list(shape({ fault: text, from_ns: number, to_ns: number }))),
  marks: orNull(list(shape({ at_ns: number, kind: text, text, wrong: or(flag, false) }))),
});
export type RunTimeline = Of<typeof timeline>;

export const verdict = shape({
  held: flag,
  reasons: orNull(list(text)),
  acknowledged: number,
  refused: number,
  unknown: number,
  lost: number,
  conflicts_settled: number,
  conflicts_open: number,
  converged_ms: number,
  outages: orNull(list(shape({ side: text, lasted_ns: number, no_writer_ns: number }))),
  overlap_ns: number,
  bound_ns: number,
  claims: number,
});
export type Verdict = Of<typeof verdict>;

/** run is one run of a script, without its steps. */
export const run = shape({
  id: text,
  script: text,
  seed: number,
  node: text,
  state: text,
  started: text,
  ended: orNull(text),
  error: or(text, ""),
  dropped: or(number, 0),
  timeline: orNull(timeline),
  verdict: orNull(verdict),
});
export type Run = Of<typeof run>;
export const runs = shape({ runs: list(run) });
