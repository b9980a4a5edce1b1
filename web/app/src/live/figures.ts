import { signal, type ReadonlySignal } from "@preact/signals";
import { send } from "../api/call.ts";
import { samples, type Sample } from "../api/metrics.ts";
import { dataNodes, type Member } from "./members.ts";

/** every is how often each node is asked for its figures, in milliseconds. */
const every = 2_000;
/** mostKept is how many readings of a node are kept: half an hour. */
const mostKept = 900;

/** Reading is what a node said of its figures at one time, or that it did not answer (null). */
export interface Reading {
  at: number; // ms since 1970, by this browser
  figures: Figures | null;
}

/** Figures are those that the page shows. What the node does not tell is null. */
export interface Figures {
  writes: number | null; // versions written, a counter
  refused: number | null; // writes refused for want of a majority, a counter
  lag: number | null; // versions that it lacks of any peer
  opened: number | null; // conflicts begun, a counter
  roundTrip: number | null; // seconds, of the slowest voter
  lease: number | null; // seconds left
  commits: number | null; // a counter
  committing: number | null; // seconds, a counter
  wal: number | null; // bytes
}

const kept = signal<ReadonlyMap<string, readonly Reading[]>>(new Map());

/** readings are what each node said since the page began to ask, the newest last. */
export const readings: ReadonlySignal<ReadonlyMap<string, readonly Reading[]>> = kept;

/** since is when the page began to ask, or 0. */
export const since = signal(0);

/**
 * watchFigures begins to ask all data nodes for their figures. It goes on when
 * another screen is shown, so that a chart has a past; a page that is not in
 * sight does not ask.
 */
export function watchFigures(): void {
  if (since.value) return;
  since.value = Date.now();
  const round = () => {
    if (!document.hidden) void readAll();
  };
  setInterval(round, every);
  document.addEventListener("visibilitychange", round);
  round();
}

let reading = false;

async function readAll(): Promise<void> {
  if (reading) return; // a node that stands still is waited for, by one round
  reading = true;
  const read = await Promise.all(dataNodes.value.map(async (m) => [m.name, await readOne(m)] as const));
  reading = false;
  const next = new Map(kept.value);
  for (const [name, one] of read) next.set(name, [...(next.get(name) ?? []), one].slice(-mostKept));
  kept.value = next;
}

async function readOne(m: Member): Promise<Reading> {
  try {
    const { text } = await send({ base: m.base, method: "GET", path: "/metrics" }, AbortSignal.timeout(every));
    return { at: Date.now(), figures: figuresOf(samples(text, "syncline_"), m.name) };
  } catch {
    return { at: Date.now(), figures: null }; // a gap is what the page shows of it
  }
}

/** figuresOf picks what is shown of what a node tells. */
export function figuresOf(all: Sample[], node: string): Figures {
  const values = (name: string, fits: (s: Sample) => boolean = () => true) => all.filter((s) => s.name === name && fits(s)).map((s) => s.value);
  const one = (name: string, fits?: (s: Sample) => boolean) => values(name, fits)[0] ?? null;
  const lags = values("syncline_lag_versions", (s) => s.labels.get("node") === node);
  const peers = values("syncline_peer_reachable").length;
  const trips = values("syncline_ballot_round_trip_seconds");
  return {
    writes: one("syncline_writes_total"),
    refused: one("syncline_http_problems_total", (s) => s.labels.get("code") === "read_only"),
    // A lag that one peer keeps unknown is unknown: the worst may be there.
    lag: lags.length < peers ? null : Math.max(0, ...lags),
    opened: one("syncline_conflicts_opened_total"),
    roundTrip: trips.length ? Math.max(...trips) : null,
    lease: one("syncline_lease_left_seconds"),
    commits: one("syncline_commit_seconds_count"),
    committing: one("syncline_commit_seconds_sum"),
    wal: one("syncline_wal_bytes"),
  };
}

/** longest is how far apart two readings may be for a rate, in milliseconds: what was between two that are further apart nobody saw. */
const longest = 3 * every;

/** Counters are the figures that only grow. */
type Counter = "writes" | "refused" | "opened" | "commits" | "committing";

/** grown is by how much a counter grew from one reading to the next; null where one is missing, or the process began anew between them. */
export function grown(before: Reading | undefined, after: Reading, counter: Counter): { by: number; in: number } | null {
  const was = before?.figures?.[counter];
  const is = after.figures?.[counter];
  if (!before || was === null || was === undefined || is === null || is === undefined) return null;
  const within = after.at - before.at;
  if (is < was || within <= 0 || within > longest) return null;
  return { by: is - was, in: within / 1000 };
}
