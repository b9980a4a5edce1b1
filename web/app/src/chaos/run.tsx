import { useEffect } from "preact/hooks";
import { ask } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { members, told, type Member } from "../live/members.ts";
import { Act } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { Id } from "../parts/text.tsx";
import { Ago, clockTime } from "../parts/time.tsx";
import { Failed, Trouble } from "../parts/trouble.tsx";
import { Exports } from "./export.tsx";
import { source, type StepOf } from "./shapes.ts";
import { RunLanes, Shown } from "./verdict.tsx";
import { useRun, type Watched } from "./watch.ts";

/** shownSteps is how many steps are in the page, the newest. */
const shownSteps = 120;

/** RunOf is a run of a script at a node: its steps while it goes on, then its verdict. */
export function RunOf({ node, id, script }: { node: string; id: string; script: string }) {
  const m = members.value.find((one) => one.name === node);
  if (!m) return <Trouble what="No such node" cause={`the roster has no ${node}`} remedy="Choose a run of one of its nodes." />;
  return <Followed key={`${node} ${id}`} m={m} id={id} script={script} />;
}

function Followed({ m, id, script }: { m: Member; id: string; script: string }) {
  const { steps, run, lost, refused } = useRun(m.base, id);
  const name = run?.script ?? script;
  if (refused !== null) return <Failed error={refused} />;
  return (
    <section class="chaos-run" aria-label={`Run ${id}`}>
      <p>
        <strong>{name || "a script"}</strong> · run <Id value={id} /> at {m.name}
        {run ? (
          <>
            , ended <Ago at={run.ended ?? run.started} />
          </>
        ) : (
          ", under way"
        )}
      </p>
      {lost && !run && <Trouble what="The stream of the run is lost" cause={`${lost.why}. What is shown is not the end.`} since={lost.since} remedy={`The page goes on trying; the run goes on at ${m.name} if that runs.`} />}
      {!run && <Act action={{ label: "Stop, and heal what it broke", calls: [{ base: m.base, method: "DELETE", path: `/v1/chaos/runs/${id}` }], command: command(m.base, "chaos", "stop", id), scope: "chaos" }} />}
      {run && <Shown run={run} />}
      {run?.timeline && <RunLanes run={run} timeline={run.timeline} />}
      {run && <Exports m={m} run={run} />}
      <Marked m={m} name={name} steps={steps} over={run !== null} />
      <Steps steps={steps} />
    </section>
  );
}

/** Marked is the source of the script, with what became of each line. */
function Marked({ m, name, steps, over }: { m: Member; name: string; steps: Watched["steps"]; over: boolean }) {
  const { answer } = useAsk((signal) => (name ? ask(m.base, `/v1/chaos/scripts/${name}`, source, signal) : Promise.resolve({ source: "" })), [m.base, name]);
  if (answer.state !== "here" || !answer.value.source) return null; // the steps below say it all the same
  const marks = new Map<number, StepOf[]>();
  for (const s of steps) if (s.line > 0) marks.set(s.line, [...(marks.get(s.line) ?? []), s]);
  const last = steps.findLast((s) => s.line > 0)?.line ?? 0;
  const lines = answer.value.source.replace(/\n$/, "").split("\n");
  return (
    <details open={!over}>
      <summary>The script, line by line</summary>
      <ol class="chaos-source">
        {lines.map((line, i) => {
          const mark = markOf(marks.get(i + 1) ?? [], last === i + 1 && !over);
          return (
            <li class={mark.name} aria-current={mark.name === "now" ? "step" : undefined}>
              <span class="chaos-mark" role="img" aria-label={mark.name || "not reached"}>
                {mark.sign}
              </span>
              <code>{line || " "}</code>
            </li>
          );
        })}
      </ol>
    </details>
  );
}

function markOf(steps: StepOf[], now: boolean): { name: string; sign: string } {
  if (steps.some((s) => s.kind === "wrong")) return { name: "wrong", sign: "✗" };
  if (now) return { name: "now", sign: "▶" };
  return steps.length > 0 ? { name: "done", sign: "✓" } : { name: "", sign: " " };
}

function Steps({ steps }: { steps: StepOf[] }) {
  const newest = steps.slice(-shownSteps);
  return (
    <details open>
      <summary>Steps{steps.length > newest.length && `, the last ${newest.length} of ${steps.length}`}</summary>
      {steps.length === 0 && <p class="muted">It has not done anything yet.</p>}
      <ol class="chaos-steps" aria-live="polite">
        {newest.map((s) => (
          <li key={s.seq} class={s.kind}>
            <span class="muted">{clockTime(s.at, 3)}</span> <span class="muted">{s.kind}</span> <span class="chaos-said">{s.text.trimEnd()}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}

/** useRunning is the run that a node says is under way. */
export function useRunning(then: (node: string, id: string) => void): { node: string; id: string; script: string } | null {
  const at = members.value.find((m) => told(m)?.run);
  const run = at && told(at)?.run;
  useEffect(() => {
    if (at && run) then(at.name, run.id);
  }, [run?.id]);
  return at && run ? { node: at.name, id: run.id, script: run.script } : null;
}
