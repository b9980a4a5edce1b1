import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ask, Refused, type Reply } from "../api/call.ts";
import { print } from "../api/exact.ts";
import { resolverNames } from "../api/shapes.ts";
import { command } from "../api/twin.ts";
import { to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { Act } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { Changes } from "../parts/changes.tsx";
import { difference } from "../parts/difference.ts";
import { Drafts, guard } from "../parts/drafts.ts";
import { count } from "../parts/text.tsx";
import { Failed, Trouble } from "../parts/trouble.tsx";
import { ReadOnlyNote, whyNot } from "../parts/writing.tsx";
import { useWritten } from "../parts/written.ts";
import { bodyOf, type Config, configOf, fieldOf, mistakes, setCall, setCommand } from "./config.ts";
import { Fields } from "./fields.tsx";
import { collection, type Collection as Shape } from "./shapes.ts";

/** Draft is a form that somebody has begun to change, and what they saw when they began. */
interface Draft {
  config: Config;
  etag: string; // "" where the defaults were in force
}

const drafts = new Drafts<Draft>((d) => print(d.config));

/** Collection configures one collection. */
export function Collection({ name }: { name: string }) {
  const { answer, again } = useAsk(
    async (signal) => {
      const [c, r] = await Promise.all([ask(base.value, `/v1/collections/${name}`, collection, signal), ask(base.value, "/v1/resolvers", resolverNames, signal)]);
      return { stored: c, names: r.resolvers.map((one) => one.name) };
    },
    [base.value, name],
  );
  return (
    <>
      <nav aria-label="Path">
        <a href={to("settings")}>Settings</a>
      </nav>
      <h1>{name}</h1>
      <p class="muted">
        The rules of one collection. A change replicates like a document and takes effect on each node as it arrives. <a href={to("data", [name])}>Its documents</a>
      </p>
      <ReadOnlyNote />
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && <Form stored={answer.value.stored} names={answer.value.names} renewing={answer.renewing} again={again} />}
    </>
  );
}

function Form({ stored, names, renewing, again }: { stored: Shape; names: string[]; renewing: boolean; again: () => void }) {
  const { name } = stored;
  const draft = drafts.of(name);
  const [refused, refuse] = useState<Refused | null>(null);
  const [done, setDone] = useState(false);
  const { known, wrote } = useWritten<Draft>(renewing);
  const opened: Draft = known ?? { config: configOf(stored), etag: stored.etag ?? "" };
  const current = draft ?? opened;
  const wrong = mistakes(current.config);
  const field = refused?.problem.status === 422 || refused?.problem.status === 501 ? fieldOf(refused.problem.detail) : undefined;
  if (refused && field) wrong.set(field, refused.problem.detail);
  const change = (part: Partial<Config>) => {
    refuse(null);
    setDone(false);
    const config = { ...current.config, ...part };
    drafts.keep(name, print(config) === print(opened.config) ? null : { ...current, config });
  };
  const leave = () => {
    refuse(null);
    setDone(false);
    drafts.keep(name, null);
    again();
  };
  const saved = ([reply]: Reply[]) => {
    refuse(null);
    setDone(true);
    const etag = reply?.headers.get("ETag") ?? "";
    drafts.stored(name, current, (typed) => ({ ...typed, etag }));
    wrote({ ...current, etag });
    again();
  };
  const failed = (error: unknown): boolean => {
    if (!(error instanceof Refused) || ![412, 422, 501].includes(error.problem.status)) return false;
    refuse(error);
    return true;
  };
  const why = whyNot() || (draft ? (mistakes(current.config).size > 0 ? "set right what is marked first" : "") : "nothing is changed yet");
  const save = (etag: string, label: string) => ({
    label,
    calls: [setCall(base.value, name, current.config, stored.ack, etag)],
    command: setCommand(base.value, name, current.config, stored.ack, etag),
    scope: "admin" as const,
  });
  return (
    <>
      <p>
        {stored.etag === null ? "The defaults are in force." : "It is configured."} {count(stored.documents, "document")}, {stored.conflicts} in conflict.
      </p>
      <Fields config={current.config} wrong={wrong} names={names} disabled={renewing && !draft && !known} change={change} />
      <p class="settings-bar">
        <Act class="primary" action={save(current.etag, "Save")} disabled={why} done={saved} failed={failed} />
        {draft && (
          <button type="button" onClick={leave}>
            Drop my changes
          </button>
        )}
        {stored.etag !== null && <Reset stored={stored} renewing={renewing} done={leave} />}
        <span role="status">{done && "Saved. It takes effect on each node as it arrives."}</span>
      </p>
      {refused && refused.problem.status !== 412 && <Failed error={refused} />}
      {refused?.problem.status === 412 && draft && (
        <Elsewhere name={name} draft={draft} ack={stored.ack}>
          <Act action={save(refused.problem.etag, "Write mine over it")} done={saved} failed={failed} />
          <button type="button" onClick={leave}>
            Take what is there now
          </button>
        </Elsewhere>
      )}
    </>
  );
}

/** Elsewhere is a form that somebody else has changed meanwhile: what is in force beside it. */
function Elsewhere({ name, draft, ack, children }: { name: string; draft: Draft; ack: string; children: ComponentChildren }) {
  const { answer } = useAsk((signal) => ask(base.value, `/v1/collections/${name}`, collection, signal), [base.value, name]);
  return (
    <Trouble what="Somebody else has configured it meanwhile" cause="Another configuration is in force than the one that you began with." remedy="Nothing was written and your form is kept. Compare, then choose.">
      {answer.state === "failed" && <Failed error={answer.error} />}
      {answer.state === "here" && (
        <Changes caption="What is in force, and your form" of={difference(bodyOf(configOf(answer.value), ack), bodyOf(draft.config, ack))} before="in force" after="yours" />
      )}
      <p class="settings-bar">{children}</p>
    </Trouble>
  );
}

function Reset({ stored, renewing, done }: { stored: Shape; renewing: boolean; done: () => void }) {
  const { name, etag, documents } = stored;
  const why = whyNot() || (renewing ? "reading it again" : documents > 0 ? "only a collection without documents can go back to the defaults" : "");
  return (
    <Act
      action={{
        label: "Back to the defaults",
        calls: [{ base: base.value, method: "DELETE", path: `/v1/collections/${name}`, headers: guard(etag ?? "") }],
        command: command(base.value, "collections", "set", name, "--reset", "--if-match", etag ?? ""),
        scope: "admin",
        confirm: `Drop the configuration of ${name}?`,
      }}
      disabled={why}
      done={done}
    />
  );
}
