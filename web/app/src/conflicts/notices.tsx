import { useEffect, useRef } from "preact/hooks";
import { print } from "../api/exact.ts";
import { to } from "../frame/route.ts";
import { dataNodes, told, viewed } from "../live/members.ts";
import { Copy } from "../parts/copy.tsx";
import { Json } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Trouble } from "../parts/trouble.tsx";
import type { Typed } from "./draft.ts";
import type { Conflict, Decided } from "./shapes.ts";
import { endedAt } from "./words.ts";

/** Did is what the person at the page has done, and what came of it. */
export interface Did {
  what: string; // "kept a’s"
  decided: Decided;
  others: number; // live versions that came meanwhile; 0: none
}

/** Done says what happened, with the new version; the keyboard goes on from there. */
export function Done({ did }: { did: Did }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), [did]);
  const { decided: d } = did;
  return (
    <div ref={box} class="conflicts-done" role="status" tabIndex={-1}>
      <p>
        <strong>You {did.what}.</strong> Written at {viewed.value} as <span class="id">{d.dot}</span>.{" "}
        {did.others > 1 && `Meanwhile ${did.others} versions are live: the document is in conflict again.`}
      </p>
      <p class="conflicts-line">
        <a href={to("conflicts")}>Back to the list</a>
        <a href={to("data", [d.collection, d.id])}>The document</a>
        {d.conflict && <a href={to("conflicts", [d.conflict])}>The record</a>}
      </p>
    </div>
  );
}

/** Meanwhile says that somebody else has ended the conflict while it was looked at. */
export function Meanwhile({ conflict: c }: { conflict: Conflict }) {
  const by: Record<string, string> = { policy: "the policy", script: "the resolver", person: c.who === "anonymous" ? "a person" : `${c.who}`, overwritten: "a write over it" };
  const ended = endedAt(c);
  return (
    <div class="conflicts-meanwhile" role="status">
      <p>
        <strong>Settled while you looked</strong>, by {by[c.by ?? ""] ?? "somebody"}
        {ended && (
          <>
            , <Ago at={ended} />
          </>
        )}
        : <bdi>{c.reason}</bdi>.
      </p>
      <p>
        It became {c.result?.deleted ? "deleted" : c.result?.doc ? <Json value={c.result.doc} /> : "a value that is not kept here"}. Below is the record; what lost can be
        restored.
      </p>
    </div>
  );
}

/** Replaced says that the conflict has other versions by now, and so another id. */
export function Replaced({ next }: { next: string }) {
  return (
    <Trouble
      what={next ? "Another version has come" : "The conflict has ended"}
      cause={next ? "The document has other versions in conflict than those you looked at, so it is another conflict now." : "A write that had seen all its versions ended it, and no record of it is here yet."}
      remedy={next ? <a href={to("conflicts", [next])}>Look at it as it is now</a> : <a href={to("conflicts")}>Back to the list</a>}
    />
  );
}

/** Unknown is an id that the viewed node does not know. */
export function Unknown({ id }: { id: string }) {
  const others = dataNodes.value.filter((m) => m.name !== viewed.value && told(m));
  return (
    <Trouble
      what={`${viewed.value} knows no such conflict`}
      cause={`Neither open nor on record has it ${id}: it may not have come here yet, or its record has had its time.`}
      remedy={<a href={to("conflicts")}>Back to the list</a>}
    >
      {others.map((m) => (
        <button type="button" onClick={() => (viewed.value = m.name)}>
          Ask {m.name}
        </button>
      ))}
    </Trouble>
  );
}

/** Kept is what somebody was writing when the conflict went away under their hands. */
export function Kept({ typed, drop }: { typed: Typed; drop: () => void }) {
  return (
    <section aria-label="Your result" class="conflicts-kept">
      <h2>What you typed, which was not written</h2>
      {typed.text !== null && <Copy label="copy" text={typed.text} />}
      {typed.reason && <Copy label="copy why" text={typed.reason} />}
      <button type="button" class="link" onClick={drop}>
        Drop it
      </button>
    </section>
  );
}

/** textOf is a document as somebody edits it. */
export const textOf = (doc: unknown): string => print(doc, 2);
