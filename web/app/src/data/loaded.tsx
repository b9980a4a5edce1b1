import { useState } from "preact/hooks";
import { Refused, Silent } from "../api/call.ts";
import { forbidden } from "../api/credential.ts";
import { command } from "../api/twin.ts";
import { to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { Twins } from "../parts/act.tsx";
import { Rows } from "../parts/rows.tsx";
import { count, Id } from "../parts/text.tsx";
import { faultOf, Trouble } from "../parts/trouble.tsx";
import { whyNot } from "../parts/writing.tsx";
import type { Line } from "./batch.ts";
import { type Counts, Halted, type Loading } from "./loading.ts";

/** rowHeight is that of one line in the list of those that were not applied, in pixels. */
const rowHeight = 32;

/** Loaded is an import that was read: what it will do, what it does, and what has come of it. */
export function Loaded({ loading, drop }: { loading: Loading; drop: () => void }) {
  const c = loading.counts.value;
  const state = loading.state.value;
  return (
    <>
      <h2>
        {loading.name}: {count(c.all, "line")}
      </h2>
      {c.all === 0 && <p>It is empty: there is nothing to import.</p>}
      {state === "running" && (
        <p role="status">
          <progress max={c.all} value={c.applied + c.refused} aria-label="imported" /> {c.applied.toLocaleString("en")} of {count(c.all, "line")}{" "}
          <button type="button" onClick={() => loading.halt()}>
            Stop
          </button>
        </p>
      )}
      {state === "stopped" && <Stopped loading={loading} />}
      {state === "done" && <Done loading={loading} />}
      {(c.applied > 0 || state !== "ready") && <Tally counts={c} />}
      <p class="data-bar">
        {c.all > 0 && state !== "running" && state !== "done" && <RunButton loading={loading} />}
        {state !== "running" && (
          <button type="button" onClick={drop}>
            {state === "done" ? "Import another file" : "Choose another file"}
          </button>
        )}
      </p>
      <Left loading={loading} />
    </>
  );
}

/** Stopped is an import that ended half way: the cause, since when, what became of the lines, and how to go on. */
function Stopped({ loading }: { loading: Loading }) {
  const c = loading.counts.value;
  const { cause, remedy } = causeOf(loading.error.value);
  const at = loading.first();
  return (
    <Trouble what={`The import stopped at line ${at?.number ?? c.all}`} cause={cause} since={loading.stoppedAt.value} remedy={remedy}>
      <p>
        {count(c.applied, "line")} applied, {c.waiting.toLocaleString("en")} not sent or not applied
        {c.unknown > 0 && `, ${c.unknown.toLocaleString("en")} of which nobody knows: going on looks at each before it sends it again`}. Nothing of the file is lost while this tab is open.
      </p>
    </Trouble>
  );
}

function causeOf(error: unknown): { cause: string; remedy: string } {
  if (error === null) return { cause: "You stopped it.", remedy: "Go on when you like." };
  const on = "Go on here once it takes writes again, or view a node that does and go on there.";
  if (error instanceof Halted) return { cause: `${error.title} (${error.code}): ${error.detail}`, remedy: on };
  if (error instanceof Refused) return { cause: faultOf(error).cause, remedy: error.problem.code === "read_only" ? on : "Do as the message says, then go on." };
  if (error instanceof Silent) return { cause: error.message, remedy: "Go on once the node answers, or at another one." };
  return { cause: faultOf(error).cause, remedy: "Go on, and report this if it stops there again." };
}

function Done({ loading }: { loading: Loading }) {
  const { refused, applied } = loading.counts.value;
  return (
    <p role="status">
      Done: {count(applied, "line")} applied{refused > 0 ? `, ${refused.toLocaleString("en")} refused (below)` : ""}. <a href={to("data", [loading.collection])}>See {loading.collection}</a>
    </p>
  );
}

function Tally({ counts }: { counts: Counts }) {
  const rows: [string, number][] = [
    ["applied", counts.applied],
    ["refused", counts.refused],
    ["unknown", counts.unknown],
    ["not yet applied", counts.waiting],
  ];
  return (
    <dl class="data-tally">
      {rows.map(([name, n]) => (
        <div>
          <dt>{name}</dt>
          <dd>{n.toLocaleString("en")}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Left lists what was not applied and will not be by itself, with the reason. */
function Left({ loading }: { loading: Loading }) {
  const [shown, show] = useState(true);
  const { refused, unknown } = loading.counts.value;
  if (refused + unknown === 0) return null;
  const left = loading.lines.filter((l) => l.state === "refused" || l.state === "unknown");
  return (
    <section>
      <h2>
        Lines to look at{" "}
        <button type="button" class="link" aria-expanded={shown} onClick={() => show(!shown)}>
          {shown ? "hide" : "show"}
        </button>
      </h2>
      <p class="muted">The others are not held up by them. Set them right in the file and import it again: what is there already is written once more.</p>
      {shown && <Rows label="Lines that were refused, or of which nobody knows" items={left} height={rowHeight} row={(line) => <Reason line={line} />} />}
    </section>
  );
}

function Reason({ line }: { line: Line }) {
  return (
    <span class="data-reason" title={line.why}>
      <span>line {line.number}</span>
      <Id value={line.id || "no id"} />
      <strong>{line.state}</strong>
      <bdi>{line.why}</bdi>
    </span>
  );
}

/** Twin is an import from a shell. */
function Twin({ loading }: { loading: Loading }) {
  const { collection } = loading;
  const file = `${collection}.ndjson`;
  const call = { base: base.value, method: "POST" as const, path: `/v1/bulk/${collection}`, body: `@${file}`, headers: { "Content-Type": "application/x-ndjson" } };
  return <Twins calls={[call]} command={command(base.value, "import", collection, file)} />;
}

/** RunButton begins an import, or goes on with one. */
function RunButton({ loading }: { loading: Loading }) {
  const why = forbidden.value.has("write") ? "your token lacks the scope write" : whyNot();
  const { waiting, unknown } = loading.counts.value;
  const first = loading.first();
  const label = loading.state.value === "ready" ? `Import ${count(waiting, "document")} at ${viewed.value}` : `Go on from line ${first?.number ?? 0} at ${viewed.value}`;
  return (
    <span class="act">
      <button type="button" class="primary" disabled={why !== "" || waiting + unknown === 0} title={why} onClick={() => void loading.run(base.value)}>
        {label}
      </button>
      {why && <span class="muted"> {why}</span>}
      <Twin loading={loading} />
    </span>
  );
}
