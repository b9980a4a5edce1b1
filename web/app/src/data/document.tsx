import { useEffect, useRef } from "preact/hooks";
import { to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";
import { Sign } from "../parts/sign.tsx";
import { bytes, Id } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { ReadOnlyNote } from "../parts/writing.tsx";
import { Copies } from "./copies.tsx";
import { drafts } from "./draft.ts";
import { Editor } from "./editor.tsx";
import { Explain } from "./explain.tsx";
import { History } from "./history.tsx";
import { type Copy, pathOf, read, type Stored, useCopies } from "./stored.ts";

/** Document is one document: its text, where it is, why it is so, and what it was. */
export function Document({ collection, id }: { collection: string; id: string }) {
  const path = pathOf(collection, id);
  const { answer, again } = useAsk((signal) => read(base.value, path, signal), [base.value, path]);
  const { copies, again: lookAgain } = useCopies(path);
  const stored = answer.state === "here" ? answer.value : null;
  // What this page has changed itself is waited for. What others change is not: who types meanwhile is told of it.
  const changing = useRef(false);
  if (answer.state !== "here" || !answer.renewing) changing.current = false;
  const renewing = changing.current;
  const own = copies.find((c) => c.name === viewed.value);
  const known = own?.state === "unknown" ? undefined : own; // an unknown one has no ETag, which is not the ETag of nothing
  const moved = stored !== null && known !== undefined && known.etag !== stored.etag;
  const draft = drafts.of(`${collection}/${id}`);
  const writing = draft !== undefined;
  useEffect(() => {
    if (moved && !writing) again(); // what nobody edits is shown as it is now
  }, [moved, known?.etag, writing]);
  useEffect(() => {
    if (answer.state === "failed" && known) again(); // it answers again
  }, [answer.state, own?.state]);
  const changed = () => {
    changing.current = true;
    again();
    lookAgain();
  };
  return (
    <>
      <nav aria-label="Path">
        <a href={to("data")}>Data</a> / <a href={to("data", [collection])}>{collection}</a>
      </nav>
      <h1 class="data-name">
        <Id value={id} most={64} />
      </h1>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {stored && answer.state === "here" && <State stored={stored} own={own} at={answer.at} />}
      <ReadOnlyNote collection={own?.writes ?? ""} />
      {stored && stored.versions > 1 && <InConflict collection={collection} id={id} versions={stored.versions} />}
      <div class="data-two">
        <section aria-label="The document">{(stored || writing) && <Editor collection={collection} id={id} stored={stored} renewing={renewing} moved={moved && known.etag !== draft?.etag} writes={own?.writes ?? ""} changed={changed} />}</section>
        <section aria-label="Where and why">
          <Copies copies={copies} />
          <Explain path={path} etag={known?.etag ?? stored?.etag ?? ""} />
        </section>
      </div>
      {stored && <History renewing={renewing} now={known?.etag ?? stored.etag} collection={collection} id={id} stored={stored} writes={own?.writes ?? ""} changed={changed} />}
    </>
  );
}

/** State is what the headers of the answer say: node, version, whether it takes writes, what it lacks. */
function State({ stored, own, at }: { stored: Stored; own: Copy | undefined; at: number }) {
  const now = own ?? stored; // what was read stays, what the node says of itself does not
  const unknown = own?.state === "unknown";
  const said: [string, string][] = [
    ["node", stored.node],
    ["writes", unknown ? "unknown" : now.writes],
    ["lacks", unknown ? "unknown" : lagWords(now.lag)],
    ["version read", stored.etag],
  ];
  return (
    <dl class="data-state">
      {said.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{name === "version read" && value ? <Id value={value} most={28} /> : value || "none"}</dd>
        </div>
      ))}
      <div>
        <dt>size</dt>
        <dd>{stored.text === null ? (stored.gone === "deleted" ? "deleted" : "not there") : bytes(new Blob([stored.text]).size)}</dd>
      </div>
      <div>
        <dt>read</dt>
        <dd>
          <Ago at={at} />
        </dd>
      </div>
    </dl>
  );
}

/** lagWords tells a Replication-Lag header: what the node lacks, or that it is not known. */
export function lagWords(header: string): string {
  const known = /versions=(\d+), seconds=([\d.]+)/.exec(header);
  if (!known) return header.startsWith("unknown") ? header.replace("since=", "since ") : "unknown";
  return known[1] === "0" ? "nothing" : `${known[1]} versions, ${known[2]} s`;
}

function InConflict({ collection, id, versions }: { collection: string; id: string; versions: number }) {
  return (
    <p class="data-conflict" role="status">
      <Sign state="conflict" word /> {versions} live versions: writers changed it that had not seen each other. What you see is what the policy shows; why, and how to end it, is below under
      “Why this value”. <a href={to("data", [collection], { conflicted: "true", prefix: id })}>Others like it</a>
    </p>
  );
}
