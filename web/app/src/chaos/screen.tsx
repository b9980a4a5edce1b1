import { ask } from "../api/call.ts";
import { HealAll } from "../frame/heal.tsx";
import { go, route, to } from "../frame/route.ts";
import { base, members, told, viewed, viewedMember } from "../live/members.ts";
import { Copy } from "../parts/copy.tsx";
import { useAsk } from "../parts/ask.ts";
import { Ago } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { Duration } from "./duration.tsx";
import { Faults } from "./faults.tsx";
import { Grid } from "./grid.tsx";
import { unwilling } from "./links.ts";
import { Live } from "./live.tsx";
import { Presets } from "./presets.tsx";
import { RunOf, useRunning } from "./run.tsx";
import { Scripts } from "./scripts.tsx";
import { runs } from "./shapes.ts";
import "./chaos.css";

/** Screen breaks the cluster on purpose: links, shapes of faults, whole scripts; and shows what the nodes make of it. */
export default function Screen() {
  const no = unwilling();
  const none = members.value.length > 0 && no.length === members.value.length;
  return (
    <div class="chaos">
      <h1>Chaos</h1>
      <p>Cut links on purpose and watch what the nodes do. Every fault ends by itself; nothing here works on a process that was not started with --chaos.</p>
      {none ? <Without /> : members.value.length > 0 ? <With no={no} /> : <p class="muted">connecting …</p>}
    </div>
  );
}

function Without() {
  return (
    <>
      <p>No process of this cluster lets itself be broken. Start them with --chaos, or try a cluster that is there for it:</p>
      <Copy label="copy command" text="syncline demo" />
    </>
  );
}

function With({ no }: { no: string[] }) {
  return (
    <>
      {no.length > 0 && <p class="warn">{no.join(" and ")} takes no faults: it was started without --chaos. The other end of a link does.</p>}
      <section>
        <h2>What the nodes do</h2>
        <Live />
      </section>
      <section>
        <h2>Links</h2>
        <div class="chaos-row">
          <span>The next fault lasts</span> <Duration />
          <HealAll />
        </div>
        <Grid />
        <h3>Presets</h3>
        <Presets />
        <h3>Faults that are on</h3>
        <Faults />
      </section>
      <section>
        <h2>Scripts</h2>
        <ScriptsAndRuns />
      </section>
    </>
  );
}

function ScriptsAndRuns() {
  const { path } = route.value;
  const running = useRunning((node, id) => go(to("chaos", ["run", node, id]), true));
  const mine = viewedMember.value && told(viewedMember.value)?.run;
  const busy = mine ? `run ${mine.id} of ${mine.script} is under way, and a node carries out one at a time` : "";
  const [what = "", node = "", id = ""] = path;
  return (
    <>
      {what === "run" && node && id ? <RunOf node={node} id={id} script={running?.id === id ? running.script : ""} /> : null}
      <Scripts busy={busy} />
      <Former under={mine?.id ?? ""} />
    </>
  );
}

/** Former are the runs that the viewed node still has. */
function Former({ under }: { under: string }) {
  const { answer, again } = useAsk((signal) => ask(base.value, "/v1/chaos/runs", runs, signal), [base.value, under]);
  if (answer.state === "asking") return null;
  if (answer.state === "failed") return <Failed error={answer.error} at={answer.at} retry={again} />;
  if (answer.value.runs.length === 0) return <p class="muted">{viewed.value} has carried out no run since it was started.</p>;
  return (
    <>
      <h3>Runs of {viewed.value}</h3>
      <ul>
        {answer.value.runs.map((r) => (
          <li>
            <a href={to("chaos", ["run", r.node, r.id])}>{r.script}</a> {r.state.replaceAll("_", " ")}, <Ago at={r.started} />
          </li>
        ))}
      </ul>
    </>
  );
}
