import { clockTime } from "../parts/time.tsx";
import type { Conflict, Summary } from "./shapes.ts";
import type { Cut } from "./spacetime.ts";

/** range is from when until when, by the time of day. */
export const range = (from: number, to: number): string => (clockTime(from) === clockTime(to) ? clockTime(from) : `${clockTime(from)}–${clockTime(to)}`);

/** cutWords says how long a cut was. */
export const cutWords = (cut: Cut): string => (cut.to === null ? `cut since ${clockTime(cut.from)}` : `cut ${range(cut.from, cut.to)}`);

/**
 * endedAt is when a conflict ended; null where that is not on record. What a
 * policy settles has the time of its newest version, so that it never beats a
 * later write: that is not when it was settled.
 */
export function endedAt(c: Conflict | Summary): string | null {
  return c.at === null || c.at === c.siblings.at(-1)?.time ? null : c.at;
}
