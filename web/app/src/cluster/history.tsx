import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { now } from "../live/clock.ts";
import { members, type Member } from "../live/members.ts";
import { Lanes } from "../parts/lanes.tsx";
import { bandsOf } from "../parts/past.ts";
import { changed, laneOf, reach, readPast, type Past } from "./history.ts";

/** soon is how long after a change the past is read again, in milliseconds: changes come in swarms. */
const soon = 400;
/** seldom is how often it is read anyway, in milliseconds: what a node tells of slowly moves out of sight. */
const seldom = 30_000;
/** step is by how much the right edge moves on, in milliseconds. */
const step = 2_000;

/** History draws the last 15 minutes of every process, each by its own word. */
export function History() {
  const pasts = usePasts(members.value);
  const edge = useComputed(() => Math.floor(now.value / step) * step).value;
  const to = Math.max(edge, ...[...pasts.values()].map((p) => p.at));
  const from = to - reach;
  return (
    <Lanes
      caption="State of each process in the last 15 minutes"
      from={from}
      to={to}
      lanes={members.value.map((m) => laneOf(m, pasts.get(m.name) ?? null, from, to))}
      bands={bandsOf([...pasts.values()].flatMap((p) => p.timeline ?? []), from, to)}
    />
  );
}

/** usePasts reads every process's past again after it changed. What one did not answer is left as it was: the past does not change. */
function usePasts(of: Member[]): ReadonlyMap<string, Past> {
  const pasts = useSignal<ReadonlyMap<string, Past>>(new Map());
  const round = useSignal(0);
  const key = useComputed(() => changed(members.value)).value;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) round.value++;
    }, seldom);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    const read = () => {
      for (const m of of) {
        if (!m.base) continue;
        readPast(m, stop.signal).then(
          (past) => (pasts.value = new Map([...pasts.value, [m.name, past]])),
          () => {}, // its lane says since when it does not answer
        );
      }
    };
    const timer = setTimeout(read, pasts.value.size ? soon : 0);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [key, round.value]);
  return pasts.value;
}
