import { type Figures, grown, type Reading } from "../live/reading.ts";

/** Value is what a chart shows of one reading, with the one before it; null is a gap. */
type Value = (before: Reading | undefined, after: Reading) => number | null;

/** Chart is one of the eight. */
export interface Chart {
  name: string;
  unit: string;
  help: string;
  value: Value;
}

const gauge =
  (figure: keyof Figures, scale = 1): Value =>
  (_, after) => {
    const value = after.figures?.[figure] ?? null;
    return value === null ? null : value * scale;
  };

const rate =
  (counter: "writes" | "refused" | "opened", seconds: number): Value =>
  (before, after) => {
    const by = grown(before, after, counter);
    return by && (by.by / by.in) * seconds;
  };

/** A transaction that nobody waited for has no time: without one there is a gap. */
const commitTime: Value = (before, after) => {
  const count = grown(before, after, "commits");
  const took = grown(before, after, "committing");
  return count && took && count.by > 0 ? (took.by / count.by) * 1000 : null;
};

export const charts: readonly Chart[] = [
  { name: "Writes", unit: "/s", help: "versions written by the node itself", value: rate("writes", 1) },
  { name: "Refused", unit: "/s", help: "writes refused while it is read-only", value: rate("refused", 1) },
  { name: "Lag", unit: "versions", help: "what it lacks of others, the worst", value: gauge("lag") },
  { name: "Conflicts", unit: "/min", help: "conflicts that began", value: rate("opened", 60) },
  { name: "Ballot round trip", unit: "ms", help: "of the slowest voter", value: gauge("roundTrip", 1000) },
  { name: "Lease left", unit: "s", help: "until it turns read-only if no vote is renewed", value: gauge("lease") },
  { name: "Commit time", unit: "ms", help: "mean time to make a transaction durable", value: commitTime },
  { name: "Log size", unit: "MB", help: "SQLite's write-ahead log", value: gauge("wal", 1e-6) },
];

/** Lines are a chart's values: the times in seconds, and a line of values for each node. */
export interface Lines {
  times: number[];
  values: Map<string, (number | null)[]>;
}

/** linesOf are the values of a chart. All nodes are read in rounds, and a node that came later has fewer of them. */
export function linesOf(chart: Chart, readings: ReadonlyMap<string, readonly Reading[]>): Lines {
  const longest = [...readings.values()].reduce<readonly Reading[]>((most, one) => (one.length > most.length ? one : most), []);
  const values = new Map<string, (number | null)[]>();
  for (const [node, list] of readings) {
    const missing = Array<number | null>(longest.length - list.length).fill(null);
    values.set(node, [...missing, ...list.map((after, i) => chart.value(list[i - 1], after))]);
  }
  return { times: longest.map((r) => r.at / 1000), values };
}

/** written is a value as it is read: short, and never more exact than it is. */
export function written(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return "unknown";
  const digits = value !== 0 && Math.abs(value) < 10 ? 2 : 0;
  return `${value.toLocaleString("en", { maximumFractionDigits: digits })}${unit.startsWith("/") ? unit : ` ${unit}`}`;
}
