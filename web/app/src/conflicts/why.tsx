import { dataNodes, told } from "../live/members.ts";
import { Json } from "../parts/text.tsx";
import { Ago, clockTime } from "../parts/time.tsx";
import type { Evidence } from "./look.ts";
import { gapWarning } from "./offset.ts";
import type { Conflict, Run } from "./shapes.ts";
import { endedAt } from "./words.ts";

const rules: Record<string, string> = {
  lww: "Last write wins: the newest version by time, then by the name of its actor.",
  merge: "By field: what each side changed stays, and a field that both changed goes by its rule.",
  script: "What the resolver returns.",
  manual: "A person decides. Until then the newest version stands in.",
};

const openReasons: Record<string, string> = {
  deferred: "The policy leaves this one to a person.",
  resolver_failed: "The resolver fails on it, on every node alike; the newest version stands in.",
  resolver_failed_here: "This node alone has no result of the resolver; others may have one. The newest version stands in here.",
  resolver_missing: "The policy names a resolver that this node does not have; the newest version stands in.",
  blind: "A version does not say what its writer had changed, so nothing can be merged.",
  before_policy: "A version was written before the policy began to note what writers change.",
  too_large: "What a merge would make of it is longer than a document may be.",
  damaged: "What a version says of its past is damaged.",
};

/** Why says why the value is what it is: the rule, the times, the clocks, and the script. */
export function Why({ conflict: c, evidence }: { conflict: Conflict; evidence: Evidence | null }) {
  const reason = (c.state === "open" ? evidence?.explanation?.reason : undefined) ?? c.reason;
  const byTime = c.state === "open" ? c.policy.kind !== "merge" && c.open_reason === null : c.by === "policy" && c.policy.kind === "lww";
  const sides = c.siblings.filter((s) => !s.hidden);
  const ended = endedAt(c);
  return (
    <section class="conflicts-why" aria-label="Why this value">
      <h2>Why this value</h2>
      <dl>
        <dt>Rule</dt>
        <dd>
          {rules[c.policy.kind] ?? c.policy.kind} {c.policy.resolver && `Resolver ${c.policy.resolver}${c.policy.resolver_version ? `, version ${c.policy.resolver_version}` : ""}.`}
          <span class="muted"> {c.policy.version ? `Configured by ${c.policy.version}.` : "Nobody configured the collection: this is the default."}</span>
        </dd>
        <dt>Reason</dt>
        <dd>
          <bdi>{reason}</bdi>
        </dd>
        <dt>Times</dt>
        <dd>
          {sides.map((s) => (
            <div>
              {s.node} <time title={s.time}>{clockTime(s.time, 3)}</time> <span class="id">{s.dot}</span>
            </div>
          ))}
          {byTime && <Gap conflict={c} reason={reason} />}
        </dd>
        <Waiting conflict={c} evidence={evidence} />
        {c.by && (
          <>
            <dt>Ended by</dt>
            <dd>
              {c.by} ({c.who}), {ended ? <Ago at={ended} /> : <span class="muted">when is not on record: what a policy settles has the time of its newest version</span>}
            </dd>
          </>
        )}
        {c.run && <RunFacts run={c.run} />}
        {c.trace.map((step) => (
          <>
            <dt>Since then</dt>
            <dd>
              {step.action} by {step.who}, <Ago at={step.at} />
              {step.dot && (
                <>
                  , to <span class="id">{step.dot}</span>
                </>
              )}
            </dd>
          </>
        ))}
      </dl>
    </section>
  );
}

/** Gap warns where clocks cannot tell which version is the later one. */
function Gap({ conflict: c, reason }: { conflict: Conflict; reason: string }) {
  const measured = dataNodes.value.flatMap((m) => (told(m)?.node?.peers ?? []).flatMap((p) => (p.clock_offset_ms === null ? [] : { from: m.name, to: p.name, ms: p.clock_offset_ms })));
  const said = gapWarning(c.siblings.filter((s) => !s.hidden), reason, measured);
  return <div class={said.warn ? "warn" : "muted"}>{said.words}</div>;
}

function Waiting({ conflict: c, evidence }: { conflict: Conflict; evidence: Evidence | null }) {
  if (c.state !== "open") return null;
  const lacking = evidence?.explanation?.waits_for ?? [];
  return (
    <>
      <dt>Open because</dt>
      <dd>
        {c.open_reason !== null ? (openReasons[c.open_reason] ?? c.open_reason) : (evidence?.explanation?.waits ?? c.reason)}
        {lacking.length > 0 && ` Not known to have all versions: ${lacking.map((l) => l.node).join(", ")}.`}
      </dd>
    </>
  );
}

/** RunFacts is what a resolver left. */
export function RunFacts({ run }: { run: Run }) {
  return (
    <>
      <dt>Script</dt>
      <dd>{run.steps.toLocaleString("en")} steps</dd>
      {run.notes.map((note) => (
        <>
          <dt>Note</dt>
          <dd>
            <bdi>{note}</bdi>
          </dd>
        </>
      ))}
      {run.events.map((e) => (
        <>
          <dt>Event</dt>
          <dd>
            <bdi>{e.name}</bdi> {e.data !== undefined && <Json value={e.data} />}
          </dd>
        </>
      ))}
      {run.output && (
        <>
          <dt>Printed</dt>
          <dd>
            <bdi class="json">{run.output}</bdi>
          </dd>
        </>
      )}
      {run.failure && (
        <>
          <dt>Failure</dt>
          <dd class="warn">
            <bdi class="json">{run.failure}</bdi>
          </dd>
        </>
      )}
      {run.more > 0 && (
        <>
          <dt>Left out</dt>
          <dd>{run.more} notes, events or bytes that were printed</dd>
        </>
      )}
    </>
  );
}
