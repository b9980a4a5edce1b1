import { useState } from "preact/hooks";
import { ask, Refused, type Reply } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { go, to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { Act, type Action } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { Drafts, guard, guardWords } from "../parts/drafts.ts";
import { bytes, Id } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Failed, faultOf, Trouble } from "../parts/trouble.tsx";
import { ReadOnlyNote, whyNot } from "../parts/writing.tsx";
import { useWritten } from "../parts/written.ts";
import { type Checking, useCheck } from "./check.ts";
import { DryRun } from "./dryrun.tsx";
import { Finding, marksOf } from "./finding.tsx";
import { UsedBy } from "./list.tsx";
import { findings, type Findings, one, type One } from "./shapes.ts";
import { type Mark, Source } from "./source.tsx";
import { templatesOf } from "./templates.ts";
import { Try } from "./try.tsx";
import { Versions } from "./versions.tsx";

/** maxSource is how long a source may be, in bytes. */
const maxSource = 65_536;
/** named is what a resolver may be called. */
const named = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Draft is a source that somebody has begun to change, and the version that they saw when they began. */
interface Draft {
  source: string;
  etag: string; // "" for a new one
}

const drafts = new Drafts<Draft>((d) => d.source);

/** Existing shows a resolver that is stored. */
export function Existing({ name }: { name: string }) {
  const { answer, again } = useAsk((signal) => ask(base.value, `/v1/resolvers/${name}`, one, signal), [base.value, name]);
  return (
    <>
      <nav aria-label="Path">
        <a href={to("resolvers")}>Resolvers</a>
      </nav>
      <h1>{name}</h1>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && (
        <>
          <p class="muted">
            Version <Id value={answer.value.hash} /> in force, stored <Ago at={answer.value.at} /> by <bdi>{answer.value.who}</bdi>, used by <UsedBy names={answer.value.used_by} />.
          </p>
          <Editor name={name} stored={answer.value} renewing={answer.renewing} again={again} />
          <Versions name={name} etag={answer.value.etag} hash={answer.value.hash} changed={again} />
        </>
      )}
    </>
  );
}

/** New begins with a template. */
export function New({ template }: { template: string }) {
  const { answer, again } = useAsk(async (signal) => (await templatesOf(base.value, signal)).find((t) => t.name === template)?.source ?? "", [base.value, template]);
  const [name, rename] = useState(template);
  return (
    <>
      <nav aria-label="Path">
        <a href={to("resolvers")}>Resolvers</a>
      </nav>
      <h1>A new resolver</h1>
      <p>
        <label>
          name{" "}
          <input type="text" required aria-invalid={!named.test(name)} value={name} onInput={(e) => rename(e.currentTarget.value)} />
        </label>{" "}
        {!named.test(name) && <span class="warn">small letters, digits, - and _, at most 64</span>}
      </p>
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && <Editor name={name} begin={{ template, source: answer.value }} stored={null} again={() => go(to("resolvers", [name]))} />}
    </>
  );
}

interface Props {
  name: string;
  begin?: { template: string; source: string }; // of a new one
  stored: One | null;
  renewing?: boolean; // it is being read anew: a change would begin with what was
  again: () => void;
}

function Editor({ name, begin, stored, renewing = false, again }: Props) {
  const key = begin ? `new: ${begin.template}` : name;
  const draft = drafts.of(key);
  const { known, wrote } = useWritten<Draft>(renewing);
  const opened: Draft = known ?? { source: stored?.source ?? begin?.source ?? "", etag: stored?.etag ?? "" };
  const current = draft ?? opened;
  const unchanged = stored !== null && current.source === opened.source;
  const checkedAs = named.test(name) ? name : "draft";
  const { checking, again: checkAgain } = useCheck(base.value, checkedAs, current.source);
  const [goTo, setGoTo] = useState<Mark | null>(null);
  const [refused, refuse] = useState<Refused | null>(null);
  const found: Findings | null = refused ? findings(refused.body, "") : checking.state === "here" ? checking.value : null;
  const type = (source: string) => {
    refuse(null);
    drafts.keep(key, stored && source === opened.source ? null : { ...current, source });
  };
  const leave = () => {
    refuse(null);
    drafts.keep(key, null);
    again();
  };
  const saved = (sent: Draft, replies: Reply[]) => {
    refuse(null);
    const etag = replies[0]?.headers.get("ETag") ?? "";
    drafts.stored(key, sent, (typed) => ({ ...typed, etag }), name);
    wrote({ ...sent, etag });
    again();
  };
  const failed = (error: unknown): boolean => {
    if (!(error instanceof Refused) || ![412, 422].includes(error.problem.status)) return false;
    refuse(error);
    return true;
  };
  return (
    <>
      <ReadOnlyNote />
      <div class="resolvers-two">
        <section aria-label="The script">
          <Source value={current.source} change={type} marks={marksOf(found)} goTo={goTo} readOnly={renewing && !draft && !known} />
          <p class="resolvers-bar">
            <Act class="primary" action={saveAction(name, current)} disabled={whyNotSave(name, unchanged, checking)} done={(r) => saved(current, r)} failed={failed} />
            {draft && stored && (
              <button type="button" onClick={leave}>
                Drop my changes
              </button>
            )}
            <span class="muted">
              {bytes(new Blob([current.source]).size)} of {bytes(maxSource)}
            </span>
          </p>
          {refused && <Denied refused={refused} name={name} current={current} saved={saved} leave={leave} failed={failed} />}
        </section>
        <section aria-label="What the node finds">
          <h2>What {viewed.value} finds</h2>
          {!refused && checking.state === "checking" && <p role="status">checking …</p>}
          {checking.state === "failed" && <Failed error={checking.error} at={checking.at} retry={checkAgain} />}
          {found && <div role="status">{<Finding of={found} go={setGoTo} />}</div>}
        </section>
      </div>
      <Try name={checkedAs} source={current.source} go={setGoTo} />
      <DryRun name={checkedAs} source={draft || !stored ? current.source : null} />
    </>
  );
}

function whyNotSave(name: string, unchanged: boolean, checking: Checking): string {
  const why = whyNot();
  if (why) return why;
  if (!named.test(name)) return "it has no name yet";
  if (unchanged) return "nothing is changed yet";
  if (checking.state === "here" && !checking.value.ok) return "it has to be right first";
  return "";
}

function saveAction(name: string, d: Draft): Action {
  return {
    label: "Save as a new version",
    calls: [{ base: base.value, method: "PUT", path: `/v1/resolvers/${name}`, body: d.source, headers: { "Content-Type": "text/plain", ...guard(d.etag) } }],
    command: command(base.value, "resolver", "put", name, `${name}.star`, ...guardWords(d.etag)),
    scope: "admin",
  };
}

interface DeniedProps {
  refused: Refused;
  name: string;
  current: Draft;
  saved: (sent: Draft, replies: Reply[]) => void;
  leave: () => void;
  failed: (error: unknown) => boolean;
}

/** Denied is a source that the node would not store: since it is wrong, or since somebody else has stored another version. */
function Denied({ refused, name, current, saved, leave, failed }: DeniedProps) {
  const { problem } = refused;
  if (problem.status !== 412) {
    return <Trouble what="It was not stored" cause={faultOf(refused).cause} remedy="Set right what is marked; what the node found is beside the editor. Your text is kept." />;
  }
  const { etag } = problem;
  return (
    <Trouble what="Somebody else has stored another version" cause={problem.detail} remedy="Nothing was stored and your text is kept. Compare with what is in force, then choose.">
      {etag && <Theirs name={name} />}
      <p class="resolvers-bar">
        <Act action={{ ...saveAction(name, { ...current, etag }), label: etag ? "Store mine as the next version" : "Store mine as a new one" }} done={(r) => saved(current, r)} failed={failed} />
        <button type="button" onClick={leave}>
          Take what is there now
        </button>
      </p>
    </Trouble>
  );
}

/** Theirs is the source that is in force now. */
function Theirs({ name }: { name: string }) {
  const { answer, again } = useAsk((signal) => ask(base.value, `/v1/resolvers/${name}`, one, signal), [base.value, name]);
  if (answer.state === "asking") return <p class="muted">asking {viewed.value} …</p>;
  if (answer.state === "failed") return <Failed error={answer.error} at={answer.at} retry={again} />;
  return (
    <>
      <p>
        In force: version <Id value={answer.value.hash} />, stored <Ago at={answer.value.at} /> by <bdi>{answer.value.who}</bdi>
      </p>
      <pre class="resolvers-output" tabIndex={0}>
        {answer.value.source}
      </pre>
    </>
  );
}
