import { useEffect, useState } from "preact/hooks";
import { ask } from "../api/call.ts";
import { list, shape, text } from "../api/decode.ts";
import { command } from "../api/twin.ts";
import { to } from "../frame/route.ts";
import { base } from "../live/members.ts";
import { Twins } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { Changes } from "../parts/changes.tsx";
import { Rows } from "../parts/rows.tsx";
import { count, Id, Json } from "../parts/text.tsx";
import { Failed } from "../parts/trouble.tsx";
import { outcomes, type Question, Replay, replayCall } from "./replay.ts";
import type { Replayed } from "./shapes.ts";

/** maxRecords is the most conflicts of one dry run. */
const maxRecords = 10_000;
/** rowHeight is that of one conflict, in pixels. */
const rowHeight = 32;

const names = shape({ collections: list(shape({ name: text })) });

/** DryRun replays the script over conflicts that have ended, and shows where it would have ended them otherwise. */
export function DryRun({ name, source }: { name: string; source: string | null }) {
  const { answer } = useAsk((signal) => ask(base.value, "/v1/collections", names, signal), [base.value]);
  const [collection, setCollection] = useState("");
  const [by, setBy] = useState("");
  const [limit, setLimit] = useState(1000);
  const [replay, setReplay] = useState<Replay | null>(null);
  useEffect(() => () => replay?.halt(), [replay]);
  const question: Question = { source, collection, by, limit };
  const [runs, setRuns] = useState(0);
  const begin = () => {
    setRuns(runs + 1);
    const r = new Replay(base.value, name, question);
    setReplay(r);
    void r.run();
  };
  return (
    <section>
      <h2>Dry run over the past</h2>
      <p class="muted">Replays the script over conflicts on record and writes nothing: which would have ended otherwise?</p>
      <form
        class="resolvers-bar"
        onSubmit={(e) => {
          e.preventDefault();
          begin();
        }}
      >
        <label>
          the last{" "}
          <input type="number" min={1} max={maxRecords} required value={limit} onInput={(e) => setLimit(e.currentTarget.valueAsNumber || 1)} />
        </label>
        <Pick label="of" all="all collections" value={collection} options={answer.state === "here" ? answer.value.collections.map((c) => c.name) : []} change={setCollection} />
        <Pick label="ended by" all="anybody" value={by} options={["policy", "script", "person", "overwritten"]} change={setBy} />
        <button type="submit" disabled={replay?.state.value === "running"}>
          Dry run
        </button>
        <Twins calls={[replayCall(base.value, name, question)]} command={twin(name, question)} />
      </form>
      {replay && <Found key={runs} replay={replay} again={begin} stale={replay.question.source !== source} />}
    </section>
  );
}

function twin(name: string, q: Question): string {
  const words = q.source === null ? [name] : ["--file", `${name}.star`];
  if (q.collection) words.push("--collection", q.collection);
  if (q.by) words.push("--by", q.by);
  return command(base.value, "resolver", "dry-run", ...words, "--limit", String(q.limit));
}

function Pick({ label, all, value, options, change }: { label: string; all: string; value: string; options: string[]; change: (value: string) => void }) {
  return (
    <label>
      {label}{" "}
      <select value={value} onChange={(e) => change(e.currentTarget.value)}>
        <option value="">{all}</option>
        {options.map((o) => (
          <option value={o}>{o}</option>
        ))}
      </select>
    </label>
  );
}

const meaning: Record<(typeof outcomes)[number], string> = {
  same: "would end the same",
  changed: "would end otherwise",
  failed: "it fails on",
  deferred: "left to a person",
  unknown: "not kept, so unknown",
};

function Found({ replay, again, stale }: { replay: Replay; again: () => void; stale: boolean }) {
  const [chosen, show] = useState("");
  const [opened, open] = useState<Replayed | null>(null);
  const choose = (outcome: string) => {
    show(outcome);
    open(null);
  };
  const lines = replay.lines.value;
  const state = replay.state.value;
  const counts = new Map(outcomes.map((o) => [o, lines.filter((l) => l.outcome === o).length]));
  const shown = chosen || (["changed", "failed", "deferred", "unknown", "same"] as const).find((o) => counts.get(o)) || "changed";
  const listed = lines.filter((l) => l.outcome === shown);
  return (
    <>
      <p role="status">
        {state === "running" && (
          <>
            <progress aria-label="Dry run" /> {count(lines.length, "conflict")} so far{" "}
            <button type="button" onClick={() => replay.halt()}>
              Stop
            </button>
          </>
        )}
        {state === "done" && `Done: ${count(lines.length, "conflict")}.`}
        {state === "done" && replay.more.value && " There are more on record than that."}
        {state === "stopped" && `Stopped after ${count(lines.length, "conflict")}. Of the others nothing is known.`}
        {stale && " The script has changed since."}
      </p>
      {state === "failed" && <Failed error={replay.error.value} retry={again} />}
      <div class="resolvers-bar" role="group" aria-label="Show">
        {outcomes.map((o) => (
          <button type="button" aria-pressed={shown === o} onClick={() => choose(o)} title={meaning[o]}>
            {o} {counts.get(o)}
          </button>
        ))}
      </div>
      {listed.length > 0 && <Rows label={`Conflicts: ${shown}`} items={listed} height={rowHeight} row={(l) => <One line={l} opened={opened === l} open={() => open(opened === l ? null : l)} />} />}
      {opened && <Sides line={opened} />}
    </>
  );
}

function One({ line, opened, open }: { line: Replayed; opened: boolean; open: () => void }) {
  return (
    <span class="resolvers-row">
      <button type="button" class="link" aria-expanded={opened} onClick={open}>
        <Id value={`${line.collection}/${line.doc_id}`} most={48} />
      </button>
      <span>{line.by}</span>
      <bdi>{line.failure?.msg ?? line.diff.map((d) => d.path || "the whole").join(", ")}</bdi>
    </span>
  );
}

/** Sides are how a conflict ended and how it would have, side by side. */
function Sides({ line }: { line: Replayed }) {
  const side = (v: Replayed["recorded"]) => (v === null ? <span class="muted">no value</span> : v.deleted ? "deleted" : <Json value={v.doc} indent={2} />);
  return (
    <div class="resolvers-case">
      <h3>
        <a href={to("conflicts", [line.id])}>
          <Id value={`${line.collection}/${line.doc_id}`} most={48} />
        </a>
        : {line.outcome}
      </h3>
      <div class="resolvers-sides">
        <div>
          <p class="muted">as it ended, by {line.by}</p>
          {side(line.recorded)}
        </div>
        <div>
          <p class="muted">with this script</p>
          {line.failure ? <bdi class="warn">{line.failure.msg}</bdi> : side(line.candidate)}
        </div>
      </div>
      {line.reason && <p>{line.reason}</p>}
      {line.notes.map((n) => (
        <p>
          note: <bdi>{n}</bdi>
        </p>
      ))}
      {line.diff.length > 0 && <Changes caption="How the outcomes differ" of={{ changes: line.diff, more: line.diff_more }} before="as it ended" after="with this script" />}
    </div>
  );
}
