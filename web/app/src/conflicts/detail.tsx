import { useSignal } from "@preact/signals";
import { useEffect, useId, useMemo, useRef } from "preact/hooks";
import { Refused, type Reply } from "../api/call.ts";
import { parse, print } from "../api/exact.ts";
import { to } from "../frame/route.ts";
import { base, dataNodes, stateOf, told, viewed, viewedMember } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";
import { Drafts } from "../parts/drafts.ts";
import { Sign } from "../parts/sign.tsx";
import { Failed } from "../parts/trouble.tsx";
import { useWritten } from "../parts/written.ts";
import { put } from "./align.ts";
import { Compare } from "./compare.tsx";
import { cutDuring } from "./cuts.ts";
import { Settle, Undo } from "./decide.tsx";
import { read, type Typed } from "./draft.ts";
import { way } from "./episodes.ts";
import { lastOpened } from "./list.tsx";
import { evidence, type Evidence, look, quiet, replacedBy, type Seen, useChanges } from "./look.ts";
import { Elsewhere } from "./nothing.tsx";
import { type Did, Done, Kept, Meanwhile, Replaced, textOf, Unknown } from "./notices.tsx";
import { type Conflict, decided } from "./shapes.ts";
import type { Cut } from "./spacetime.ts";
import { SpaceTime } from "./spacetime.tsx";
import { Why } from "./why.tsx";
import { cutWords } from "./words.ts";

/** drafts are what somebody has begun to write, by conflict. */
const drafts = new Drafts<Typed>(({ text, reason }) => print([text, reason]));
const nothing: Typed = { text: null, reason: "" };

/** Detail is one conflict: its versions beside each other, how it came about, why it shows what it shows, and how to end it. */
export function Detail({ id }: { id: string }) {
  const asked = useAsk((stop) => look(base.value, id, stop), [base.value, id]);
  const { again } = asked;
  useChanges(id, again);
  const silent = quiet();
  // What was read before the node fell silent is not shown as what is.
  const answer: typeof asked.answer =
    asked.answer.state === "here" && silent && asked.answer.at < silent.since ? { state: "failed", error: silent.error, at: silent.since } : asked.answer;
  const typed = drafts.of(id) ?? nothing;
  const type = (change: Partial<Typed>) => {
    const next = { ...(drafts.of(id) ?? nothing), ...change };
    drafts.keep(id, next.text === null && next.reason === "" ? null : next);
  };
  // Until what was done is read again, the next guard is the ETag that its answer told.
  const { known: etag, wrote } = useWritten<string>(answer.state === "here" && answer.renewing);
  const did = useSignal<Did | null>(null);
  const wasOpen = useRef(false);
  if (answer.state === "here" && answer.value.conflict.state === "open") wasOpen.current = true;
  useEffect(() => void (lastOpened.value = id), [id]);
  const done = (what: string, replies: Reply[]) => {
    const [reply] = replies;
    if (!reply) return;
    drafts.stored(id, typed, (more) => more);
    did.value = { what, decided: decided(parse(reply.text), ""), others: Number(reply.headers.get("Conflict-Count") ?? 0) };
    wrote(reply.headers.get("ETag") ?? "");
    again();
  };
  // Somebody was faster: what has become of it is more than the refusal says.
  const failed = (error: unknown) => {
    if (replacedBy(error) === null) return false;
    again();
    return true;
  };
  const open = answer.state === "here" && answer.value.conflict.state === "open";
  const gone = answer.state === "here" && wasOpen.current && !open && !did.value ? answer.value.conflict : null;
  return (
    <article class="conflicts-detail">
      <p>
        <a href={to("conflicts")}>← All conflicts</a>
      </p>
      {did.value && <Done did={did.value} />}
      {gone && <Meanwhile conflict={gone} />}
      {!open && answer.state !== "asking" && typed !== nothing && <Kept typed={typed} drop={() => drafts.keep(id, null)} />}
      {answer.state === "asking" && (
        <>
          <h1>Conflict</h1>
          <p class="muted">asking {viewed.value} …</p>
        </>
      )}
      {answer.state === "failed" && (
        <>
          <h1>Conflict</h1>
          <Lost id={id} error={answer.error} at={answer.at} again={again} />
        </>
      )}
      {answer.state === "here" && <Whole seen={etag === null ? answer.value : { ...answer.value, etag }} typed={typed} type={type} done={done} failed={failed} />}
    </article>
  );
}

/** Lost is a conflict that could not be had, each cause with its remedy. */
function Lost({ id, error, at, again }: { id: string; error: unknown; at: number; again: () => void }) {
  const next = replacedBy(error);
  if (next !== null) return <Replaced next={next} />;
  if (error instanceof Refused && error.problem.status === 404) return <Unknown id={id} />;
  if (error instanceof Refused) return <Failed error={error} at={at} retry={again} />;
  return <Elsewhere error={error} at={at} retry={again} />;
}

interface WholeProps {
  seen: Seen;
  typed: Typed;
  type: (change: Partial<Typed>) => void;
  done: (what: string, replies: Reply[]) => void;
  failed: (error: unknown) => boolean;
}

function Whole({ seen, typed, type, done, failed }: WholeProps) {
  const { conflict: c } = seen;
  const open = c.state === "open";
  const { answer } = useAsk((stop) => evidence(base.value, c, stop), [base.value, c.id, c.state]);
  const known = answer.state === "here" ? answer.value : null;
  const written = typed.text ?? textOf(firstResult(c));
  const draft = useDraft(written);
  const result = open ? draft.column : { deleted: c.result?.deleted ?? false, doc: c.result?.doc ?? null };
  const lost = open ? (known?.explanation?.siblings.flatMap((s) => s.lost) ?? []) : c.lost;
  return (
    <>
      <Title conflict={c} cut={known && cutOf(c, known)} />
      <Compare conflict={c} lost={lost} result={result} take={open && draft.doc ? (line, cell) => type({ text: textOf(put(draft.doc, line.steps, cell)) }) : null} />
      {open ? (
        <>
          <Editor text={written} fault={draft.read.fault} type={(text) => type({ text })} />
          <ReadOnly />
          <Settle seen={seen} draft={draft.read} text={written} reason={typed.reason} type={type} done={done} failed={failed} />
        </>
      ) : (
        <Undo seen={seen} done={done} failed={failed} />
      )}
      <div class="conflicts-evidence">
        {known ? <SpaceTime conflict={c} evidence={known} /> : answer.state === "failed" ? <Failed error={answer.error} /> : <p class="muted">asking every node what it went through …</p>}
        <Why conflict={c} evidence={known} />
      </div>
    </>
  );
}

/** firstResult is what the editor begins with: what is shown, or else the newest value that there is. */
function firstResult(c: Conflict): unknown {
  if (c.shown?.doc) return c.shown.doc;
  return c.siblings.findLast((s) => s.doc !== null)?.doc ?? c.base ?? {};
}

function useDraft(text: string) {
  return useMemo(() => {
    const is = read(text);
    return { read: is, doc: is.doc, column: { deleted: false, doc: is.doc } };
  }, [text]);
}

/** cutOf is what cut the writers apart, as far as a node has it on record. */
function cutOf(c: Conflict, known: Evidence): Cut | null {
  const times = c.siblings.map((s) => Date.parse(s.time));
  return cutDuring(known.cuts, c.siblings.map((s) => s.node), Math.min(...times), Math.max(...times));
}

function Title({ conflict: c, cut }: { conflict: Conflict; cut: Cut | null }) {
  const versions = c.siblings.filter((s) => !s.hidden).length;
  return (
    <>
      <h1>
        <bdi>{c.collection}</bdi> / <bdi class="conflicts-name">{c.doc_id}</bdi>
      </h1>
      <p class="conflicts-line">
        {c.state === "open" ? <Sign state="conflict" word="open" /> : <span>{c.state === "reviewed" ? `reviewed, ended ${way(c)}` : `settled ${way(c)}`}</span>}
        <span>{versions} versions that had not seen each other</span>
        {cut && <span>{cutWords(cut)}</span>}
        <span class="muted">as {viewed.value} says</span>
        <a href={to("data", [c.collection, c.doc_id])}>the document</a>
      </p>
    </>
  );
}

/** Editor is the result, to be written by hand or put together from the cells. */
function Editor({ text, fault, type }: { text: string; fault: string | null; type: (text: string) => void }) {
  const id = useId();
  return (
    <div class="conflicts-editor">
      <label for={id}>Result, as JSON: take cells from the table above, or write it by hand</label>
      <textarea
        id={id}
        spellcheck={false}
        dir="auto"
        rows={Math.min(16, Math.max(3, text.split("\n").length))}
        aria-invalid={fault !== null}
        aria-describedby={`${id}-fault`}
        value={text}
        onInput={(e) => type(e.currentTarget.value)}
      />
      <p id={`${id}-fault`} class="warn" aria-live="polite">
        {fault}
      </p>
    </div>
  );
}

/** ReadOnly says where a decision can be written, where the viewed node takes none. */
function ReadOnly() {
  const m = viewedMember.value;
  if (!m || stateOf(m) !== "readonly") return null;
  const writable = dataNodes.value.filter((o) => told(o) && stateOf(o) === "writable");
  return (
    <p class="conflicts-line warn">
      <Sign state="readonly" word={`${m.name} takes no writes now, so it will refuse a decision.`} />
      {writable.map((o) => (
        <button type="button" onClick={() => (viewed.value = o.name)}>
          Decide at {o.name}
        </button>
      ))}
      {writable.length === 0 && <span>No node is known to take writes.</span>}
    </p>
  );
}
