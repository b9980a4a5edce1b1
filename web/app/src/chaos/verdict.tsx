import { Lanes, type Lane, type Tick } from "../parts/lanes.tsx";
import { signOf } from "../parts/past.ts";
import { count } from "../parts/text.tsx";
import { span } from "../parts/time.tsx";
import { Trouble } from "../parts/trouble.tsx";
import type { Run, RunTimeline, Verdict } from "./shapes.ts";

/** Nanoseconds of a millisecond. */
const ms = 1_000_000;

/** Shown is how a run ended. */
export function Shown({ run }: { run: Run }) {
  const v = run.verdict;
  return (
    <>
      {run.state === "stopped" && <p>It was stopped, and what it broke is healed. A run that was stopped has no verdict.</p>}
      {(run.state === "failed" || (run.error !== "" && run.state !== "stopped")) && (
        <Trouble what="The run came to no verdict" cause={run.error || "it says no more"} since={run.ended} remedy="Look at its last steps; run it again with the same seed." />
      )}
      {run.state === "stopped" && run.error && <p class="warn">{run.error}</p>}
      {v && !v.held && <Trouble what="It did not hold" cause={(v.reasons ?? []).join("; ")} since={run.ended} remedy={`Run it again with seed ${run.seed}, and look at the steps below.`} />}
      {v && <Figures v={v} seed={run.seed} />}
    </>
  );
}

function Figures({ v, seed }: { v: Verdict; seed: number }) {
  const rows: [string, string][] = [
    ["verdict", v.held ? `held: ${count(v.claims, "claim")}` : "not held"],
    ["acknowledged", count(v.acknowledged, "write")],
    ["refused", count(v.refused, "write")],
    ["unknown", count(v.unknown, "write")],
    ["lost", `${v.lost}`],
    ["conflicts", `${v.conflicts_settled} settled, ${v.conflicts_open} open`],
    ["converged", `in ${span(v.converged_ms)}`],
    ["two sides wrote at once", `for ${span(v.overlap_ns / ms)}; the bound is ${span(v.bound_ns / ms)}`],
    ...(v.outages ?? []).map((o): [string, string] => [`side ${o.side}`, `cut off for ${span(o.lasted_ns / ms)}, without a writer for ${span(o.no_writer_ns / ms)} at most`]),
    ["seed", `${seed}`],
  ];
  return (
    <dl class="chaos-verdict">
      {rows.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd class={name === "verdict" ? (v.held ? "good" : "bad") : name === "lost" && v.lost > 0 ? "bad" : undefined}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const kinds: Record<string, Tick["kind"]> = { acknowledged: "accepted", refused: "refused", conflict: "conflict" };

/** RunLanes is what a run looked like, from its own history. */
export function RunLanes({ run, timeline: t }: { run: Run; timeline: RunTimeline }) {
  const start = Date.parse(run.started);
  const at = (ns: number) => start + ns / ms;
  const lanes = (t.lanes ?? []).map(
    (l): Lane => ({
      name: l.node,
      spans: l.states.map((s) => ({ from: at(s.from_ns), to: at(s.to_ns), state: signOf(s.state), word: s.state })),
      ticks: (l.ticks ?? []).flatMap((k): Tick[] => {
        const kind = kinds[k.kind];
        return kind ? [{ at: at(k.at_ns), kind, title: `${count(k.count, "write")} ${k.kind}` }] : [];
      }),
    }),
  );
  return (
    <div class="chaos-lanes">
      <Lanes
        caption={`What ${run.script} did`}
        from={start}
        to={at(t.took_ns)}
        lanes={lanes}
        bands={(t.bands ?? []).map((b) => ({ from: at(b.from_ns), to: at(b.to_ns), label: b.fault }))}
        marks={(t.marks ?? []).filter((m) => m.wrong || m.kind === "note").map((m) => ({ at: at(m.at_ns), label: m.text }))}
      />
    </div>
  );
}
