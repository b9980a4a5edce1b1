import { signal, type ReadonlySignal } from "@preact/signals";
import { send } from "../api/call.ts";
import { samples, type Sample } from "../api/metrics.ts";
import { dataNodes, type Member } from "./members.ts";
import { type Figures, type Reading, readEvery } from "./reading.ts";

/** mostKept is how many readings of a node are kept: half an hour. */
const mostKept = 900;

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
  setInterval(round, readEvery);
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
    const { text } = await send({ base: m.base, method: "GET", path: "/metrics" }, AbortSignal.timeout(readEvery));
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
