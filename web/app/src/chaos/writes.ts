import { effect, signal, type Signal } from "@preact/signals";
import { send } from "../api/call.ts";
import { connection, dataNodes, type Member } from "../live/members.ts";
import type { Tick } from "../parts/lanes.tsx";
import { count } from "../parts/text.tsx";
import { shown } from "./past.ts";

// A node counts its writes in /metrics. What was counted between two looks is a
// tick: nothing of this works per write.

/** How often a node's counters are read, in milliseconds. */
const every = 2_000;

/** counters are the lines of /metrics that are looked at. */
const counters = [
  { kind: "accepted", line: /^syncline_writes_total (\S+)$/m, noun: "write" },
  { kind: "refused", line: /^syncline_http_problems_total\{code="read_only"\} (\S+)$/m, noun: "write" },
  { kind: "conflict", line: /^syncline_conflicts_opened_total (\S+)$/m, noun: "conflict" },
] as const;

/** ticks are those of each data node, by name. */
export const ticks: Signal<ReadonlyMap<string, Tick[]>> = signal(new Map());

/** countWrites reads the counters of all data nodes until it is told to stop. */
export function countWrites(): () => void {
  const stop = new AbortController();
  for (const m of dataNodes.value) void countOne(m, stop.signal);
  return () => stop.abort();
}

async function countOne(m: Member, stop: AbortSignal): Promise<void> {
  let before: number[] | null = null;
  while (!stop.aborted) {
    const now = document.hidden ? null : await read(m, stop);
    // A counter that went back began anew with its process: nothing is known of the time between.
    if (now && before && now.every((n, i) => n >= (before?.[i] ?? 0))) note(m, now.map((n, i) => n - (before?.[i] ?? 0)));
    before = now;
    await pause(m, stop);
  }
}

async function read(m: Member, stop: AbortSignal): Promise<number[] | null> {
  try {
    const { text } = await send({ base: m.base, method: "GET", path: "/metrics" }, stop);
    return counters.map(({ line }) => Number(line.exec(text)?.[1] ?? 0));
  } catch {
    return null;
  }
}

function note(m: Member, more: number[]): void {
  const at = Date.now();
  const old = (ticks.value.get(m.name) ?? []).filter((t) => t.at > at - shown);
  const fresh = counters.flatMap(({ kind, noun }, i): Tick[] => {
    const n = more[i] ?? 0;
    return n > 0 ? [{ at: at - every / 2, kind, title: `${count(n, noun)} ${kind === "conflict" ? "began" : kind} in ${every / 1000} s` }] : [];
  });
  ticks.value = new Map([...ticks.value, [m.name, [...old, ...fresh]]]);
}

/** pause waits for the next look; for one that is not reached, until it is. */
function pause(m: Member, stop: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(() => {
      const end = effect(() => {
        if (!stop.aborted && connection(m).state === "lost") return;
        queueMicrotask(() => end());
        done();
      });
    }, every);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
