import { gap } from "./spacetime.ts";

/** Measured is how far one node found another's clock to be ahead of its own. */
interface Measured {
  from: string;
  to: string;
  ms: number;
}

/**
 * gapWarning says how far the two newest versions are apart, and whether the
 * clocks that decided can tell that. What was measured when it was decided is in
 * the reason; for the rest, what is measured now has to do.
 */
export function gapWarning(sides: readonly { node: string; time: string }[], reason: string, measured: readonly Measured[]): { words: string; warn: boolean } {
  const [next, newest] = sides.slice(-2);
  if (!next || !newest) return { words: "", warn: false };
  const apart = Math.abs(Date.parse(newest.time) - Date.parse(next.time));
  if (next.node === newest.node) return { words: `${gap(apart)} apart, by one clock.`, warn: false };
  const then = offsetIn(reason);
  const now = measured.find((m) => (m.from === next.node && m.to === newest.node) || (m.from === newest.node && m.to === next.node));
  const offset = then ?? (now ? Math.abs(now.ms) : null);
  const when = then !== null ? "measured" : "measured now";
  if (offset === null) return { words: `${gap(apart)} apart. How far the clocks of ${next.node} and ${newest.node} differ is not known.`, warn: true };
  const clocks = `the clocks of ${next.node} and ${newest.node} differ by ${gap(Math.round(offset))} (${when})`;
  if (apart <= offset) return { words: `Warning: only ${gap(apart)} apart, and ${clocks}: which one was written later cannot be told from them.`, warn: true };
  return { words: `${gap(apart)} apart; ${clocks}.`, warn: false };
}

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, "µs": 0.001, ns: 0.000_001 };

/** offsetIn is the clock offset that a reason names, in milliseconds; null where it names none. */
export function offsetIn(reason: string): number | null {
  const said = /; measured clock offset ((?:[\d.]+\s?(?:h|ms|µs|ns|m|s)\s?)+)$/.exec(reason)?.[1];
  if (!said) return null;
  return [...said.matchAll(/([\d.]+)\s?(h|ms|µs|ns|m|s)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ""] ?? 0), 0);
}
