import { useMemo, useState } from "preact/hooks";
import { ask, Refused, type Reply } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import { command } from "../api/twin.ts";
import { base } from "../live/members.ts";
import { Act, type Action } from "../parts/act.tsx";
import { guard, guardWords } from "../parts/drafts.ts";
import { Id } from "../parts/text.tsx";
import { whyNot } from "../parts/writing.tsx";
import { useWritten } from "../parts/written.ts";
import { Collision } from "./collision.tsx";
import { beginOn, boxText, type Draft, drafts, fromBox } from "./draft.ts";
import { now, type Now, written } from "./shapes.ts";
import { pathOf, type Stored } from "./stored.ts";
import { check, invisible, layOut, place } from "./strict.ts";

/** longArgument is how many characters of a document a command line still shows; a longer one is a file there. */
const longArgument = 2_000;
/** unwrapped is how many characters a text may have for the browser to wrap it quickly. */
const unwrapped = 50_000;
/** mostLines is how tall the text box grows by itself, in lines. */
const mostLines = 24;

/** reading is why nothing can be written for a moment. */
const reading = "reading it again";

interface Props {
  collection: string;
  id: string;
  stored: Stored | null; // null: the node viewed does not say
  renewing: boolean; // it is being read anew after a change of this page: what somebody begins to write now would begin with what was
  moved: boolean; // the node shows another version than was read
  writes: string; // Write-State of the collection
  changed: () => void;
}

/** Editor edits a document as the text that is stored. What is not touched keeps its bytes. */
export function Editor(props: Props) {
  const { collection, id, stored } = props;
  const key = `${collection}/${id}`;
  const draft = drafts.of(key);
  const [collided, collide] = useState<Now | null>(null);
  const [shelf, setShelf] = useState("");
  const [said, say] = useState("");
  const { known, wrote } = useWritten<Draft>(props.renewing);
  const current: Draft = draft ?? known ?? (stored ? beginOn(stored) : { text: "", opened: "", etag: "", context: "" });
  const closed = props.renewing && !draft && !known;
  const type = (text: string) => {
    say("");
    drafts.keep(key, text === current.opened && !collided ? null : { ...current, text });
  };
  const leave = (kept: string) => {
    setShelf(kept);
    collide(null);
    drafts.keep(key, null);
    props.changed();
  };
  const saved = (sent: Draft, replies: Reply[]) => {
    const { headers } = replies[0] ?? {};
    setShelf("");
    collide(null);
    const begin: Draft = { text: sent.text, opened: sent.text, etag: headers?.get("ETag") ?? "", context: headers?.get("Causal-Context") ?? "" };
    drafts.stored(key, sent, ({ text }) => ({ ...begin, text }));
    wrote(begin);
    props.changed();
    say(dotOf(replies));
  };
  const deleted = (replies: Reply[]) => {
    leave(draft?.text ?? "");
    say(dotOf(replies));
  };
  const refused = (error: unknown): boolean => {
    if (!(error instanceof Refused) || ![409, 412].includes(error.problem.status)) return false;
    collide(now(error.body, ""));
    if (!draft) drafts.keep(key, current); // it stays what was opened, whatever is read meanwhile
    return true;
  };
  const put = (d: Draft) => {
    collide(null);
    drafts.keep(key, d);
  };
  const look = async () => collide(await ask(base.value, `${pathOf(collection, id)}/siblings`, now));
  return (
    <>
      <h2>{stored?.gone && !draft?.etag ? (stored.gone === "deleted" ? "It is deleted. Create it again" : "Not there yet. Create it") : "As it is stored"}</h2>
      {props.moved && draft && !collided && (
        <p class="data-moved" role="status">
          Somebody has written it since you began. Nothing is written over unseen.{" "}
          <button type="button" onClick={() => void look()}>
            Compare
          </button>
        </p>
      )}
      <Text current={current} type={type} readOnly={closed} />
      <p class="data-bar">
        <Act class="primary" action={saveAction(props, current)} disabled={whyNotSave(props, current, draft)} done={(r) => saved(current, r)} failed={refused} />
        <button type="button" disabled={check(current.text) !== null || closed} onClick={() => type(layOut(current.text))} title="Only the space between the parts changes">
          Lay out
        </button>
        {draft && (
          <button type="button" onClick={() => leave(current.text)}>
            Drop my changes
          </button>
        )}
        {stored?.text != null && <Act action={deleteAction(props, stored)} disabled={whyNot(props.writes) || (props.renewing ? reading : "")} done={deleted} />}
      </p>
      <After said={said} node={stored?.node ?? ""} back={shelf && !draft && stored ? () => drafts.keep(key, beginOn(stored, shelf)) : null} />
      {collided && draft && (
        <Collision collided={{ draft, now: collided }} save={(d) => saveAction(props, d)} saved={saved} again={refused} take={() => leave(draft.text)} put={put} />
      )}
    </>
  );
}

/** After says what came of a write, and brings a text back that was laid aside. */
function After({ said, node, back }: { said: string; node: string; back: (() => void) | null }) {
  return (
    <p role="status">
      {said && (
        <>
          Done: version <Id value={said} /> is durable at {node}.
        </>
      )}
      {back && (
        <button type="button" onClick={back}>
          Bring my text back
        </button>
      )}
    </p>
  );
}

/** Text is the text box with what is wrong in it. */
function Text({ current, type, readOnly }: { current: Draft; type: (text: string) => void; readOnly: boolean }) {
  const wrong = useMemo(() => check(current.text), [current.text]);
  const unseen = useMemo(() => invisible(current.text), [current.text]);
  const box = boxText(current.text);
  const lines = box.split("\n", mostLines).length;
  return (
    <>
      <textarea
        aria-label="The document as JSON"
        aria-invalid={wrong !== null}
        aria-describedby="data-check"
        class="data-text"
        dir="ltr"
        spellcheck={false}
        readOnly={readOnly}
        wrap={box.length > unwrapped ? "off" : "soft"}
        rows={Math.max(4, Math.min(mostLines, lines + 1, Math.ceil(box.length / 40) + lines))}
        value={box}
        onInput={(e) => type(fromBox(e.currentTarget.value, current.opened))}
      />
      <p id="data-check" role="status">
        {wrong ? <span class="warn">{`not strict JSON at ${place(current.text, wrong.at)}: ${wrong.message}`}</span> : <span class="muted">strict JSON</span>}
        {unseen.length > 0 && <span class="warn"> It has characters that nobody sees, or that turn the order of what is seen: {unseen.join(", ")}</span>}
      </p>
    </>
  );
}

/** dotOf is the version that a write has made, or "". */
const dotOf = ([reply]: Reply[]): string => (reply && reply.status < 300 ? written(parse(reply.text), "").dot : "");

function whyNotSave(props: Props, current: Draft, draft: Draft | undefined): string {
  const why = whyNot(props.writes);
  if (why) return why;
  if (props.renewing && !draft) return reading;
  if (!props.stored && !draft) return "not read yet";
  if (!draft && !props.stored?.gone) return "nothing is changed yet";
  return check(current.text) ? "it is not strict JSON yet" : "";
}

function saveAction({ collection, id, stored }: Props, d: Draft): Action {
  const body = d.text.length > longArgument ? ["--file", "document.json"] : [d.text];
  return {
    label: !d.etag ? "Create" : (stored?.versions ?? 0) > 1 ? "Save, and end the conflict" : "Save",
    calls: [{ base: base.value, method: "PUT", path: pathOf(collection, id), body: d.text, headers: guard(d.etag, d.context) }],
    command: command(base.value, "put", collection, id, ...body, ...guardWords(d.etag, d.context)),
    scope: "write",
  };
}

function deleteAction({ collection, id }: Props, s: Stored): Action {
  return {
    label: "Delete",
    calls: [{ base: base.value, method: "DELETE", path: pathOf(collection, id), headers: guard(s.etag, s.context) }],
    command: command(base.value, "rm", collection, id, ...guardWords(s.etag, s.context)),
    scope: "write",
    confirm: `Delete ${collection}/${id}? Its old versions can be brought back as long as the collection keeps them.`,
  };
}
