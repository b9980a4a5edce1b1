import { command } from "../api/twin.ts";
import { base } from "../live/members.ts";
import { Copy } from "../parts/copy.tsx";
import { span } from "../parts/time.tsx";
import { Trouble } from "../parts/trouble.tsx";
import type { Told } from "./processes.tsx";
import type { Timing } from "./shapes.ts";

/** TimingOf is the timing of the vote and what a cut can do at worst, computed by the nodes themselves. */
export function TimingOf({ told }: { told: Told[] }) {
  const timings = told.flatMap((t) => (t.said?.process.timing ? [{ name: t.member.name, timing: t.said.process.timing }] : []));
  const [first] = timings;
  const alike = timings.every(({ timing: t }) => first && t.beat_ms === first.timing.beat_ms && t.lease_ms === first.timing.lease_ms && t.bound_ms === first.timing.bound_ms);
  return (
    <>
      <h2>Timing of the vote</h2>
      {!first && told.length > 0 && <p>Unknown: no data node tells it.</p>}
      {first && alike && <Shown timing={first.timing} names={timings.map((t) => t.name)} />}
      {!alike && (
        <Trouble
          what="Nodes have different timings"
          cause={timings.map(({ name, timing: t }) => `${name}: beat ${t.beat_ms} ms, lease ${t.lease_ms} ms`).join("; ")}
          remedy="Give all processes the same timing in the cluster's file, and start them again one by one. Until then the worst case is that of the longest."
        />
      )}
    </>
  );
}

function Shown({ timing: t, names }: { timing: Timing; names: string[] }) {
  return (
    <>
      <p>
        <strong>Worst case: for {span(t.bound_ms)} after a cut both sides take writes.</strong> Then the side without a majority is read-only. What was written in between on both sides becomes a
        conflict; nothing is lost.
      </p>
      <dl class="settings-list">
        <dt>beat</dt>
        <dd>{t.beat_ms} ms: how often a node asks each voter for its vote</dd>
        <dt>lease</dt>
        <dd>{t.lease_ms} ms: how long a vote counts, from when it was asked for</dd>
        <dt>bound</dt>
        <dd>{t.bound_ms} ms: the lease, and how long the witness still believes a path to be there, stretched by the drift of clocks</dd>
      </dl>
      <p class="muted">So say {names.join(", ")}. It is set in the cluster's file (timing: beat, lease) and counts from the next start; a shorter lease makes the worst case shorter and a loaded machine lose its vote sooner.</p>
      <Copy label="copy command" text={command(base.value, "status")} />
    </>
  );
}
