/** Round steps of a time axis, in milliseconds: 1 s to 1 day. */
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400].map((s) => s * 1000);
/** roomy is how many pixels a label of the axis needs. */
const roomy = 72;

const minute = 60_000;

/** roundTimes are the round instants between two, as many as a width in pixels has room for. */
export function roundTimes(from: number, to: number, width: number): { at: number; label: string }[] {
  const least = ((to - from) * roomy) / Math.max(width, roomy);
  const step = steps.find((s) => s >= least) ?? Math.ceil(least / 86_400_000) * 86_400_000;
  // Round by the clock on the wall, whose hours may be half an hour off.
  const shift = new Date(from).getTimezoneOffset() * minute;
  const form = new Intl.DateTimeFormat(undefined, { hour12: false, hour: "2-digit", minute: "2-digit", ...(step < minute ? { second: "2-digit" } : {}) });
  const out = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) out.push({ at, label: form.format(at) });
  return out;
}
