// What a node said of its figures, and what two readings say together.

/** readEvery is how often each node is asked for its figures, in milliseconds. */
export const readEvery = 2_000;

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

/** longest is how far apart two readings may be for a rate, in milliseconds: what was between two that are further apart nobody saw. */
const longest = 3 * readEvery;

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
