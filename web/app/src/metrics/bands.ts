import { effect, signal } from "@preact/signals";
import { faults } from "../live/members.ts";

/** Band is a fault that was on while the charts were drawn. */
export interface Band {
  from: number; // ms since 1970
  to: number;
  label: string;
}

/** mostBands is how many faults are remembered. */
const mostBands = 200;

const seen = new Map<string, Band>();

/** bands are the faults since the page began to ask, the ended ones with their end. */
export const bands = signal<readonly Band[]>([]);

let watching = false;

/** watchFaults begins to remember. A fault that is gone from its process has ended now, if its time was not up before. */
export function watchFaults(): void {
  if (watching) return;
  watching = true;
  effect(() => {
    const on = new Map(faults.value.map(({ member, fault }) => [`${member.name} ${fault.id} ${fault.started}`, fault]));
    let altered = false;
    for (const [key, f] of on) {
      if (seen.has(key)) continue;
      seen.set(key, { from: Date.parse(f.started), to: Date.parse(f.expires), label: `${f.from}${f.both ? "–" : "→"}${f.to} ${f.kind}` });
      altered = true;
    }
    for (const [key, band] of seen) {
      if (on.has(key) || band.to <= Date.now()) continue;
      seen.set(key, { ...band, to: Date.now() });
      altered = true;
    }
    for (const key of seen.keys()) if (seen.size > mostBands) seen.delete(key);
    if (altered) bands.value = [...seen.values()];
  });
}
