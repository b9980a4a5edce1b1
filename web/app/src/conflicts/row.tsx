import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { to } from "../frame/route.ts";
import { Sign } from "../parts/sign.tsx";
import { Id } from "../parts/text.tsx";
import { Ago, clockTime } from "../parts/time.tsx";
import { type Episode, nodesOf, tally, way } from "./episodes.ts";
import type { Inbox } from "./inbox.ts";
import type { Summary } from "./shapes.ts";
import type { Cut } from "./spacetime.ts";
import { cutWords, range } from "./words.ts";

/** heights of a row, in pixels: on a phone its parts stand below each other. */
export const heights = { wide: 56, narrow: 96 };

/** Heading is an episode: what cut its nodes apart and when, and how its conflicts ended. */
export function Heading({ episode, cut, whole }: { episode: Episode; cut: Cut | null; whole: boolean }) {
  return (
    <div class="conflicts-heading">
      <h2>{episodeTitle(episode, cut)}</h2>
      <span class="muted">
        {tally(episode)}
        {!whole && ", of those read so far"}
      </span>
    </div>
  );
}

/** episodeTitle says what is known of how it came about. */
export function episodeTitle(e: Episode, cut: Cut | null): string {
  const [first = "", ...others] = e.nodes;
  if (others.length === 0) return `at ${first} alone, ${clockTime(e.from)}`;
  const nodes = `${others.slice(0, -1).reduce((text, n) => `${text}, ${n}`, first)} and ${others.at(-1)}`;
  if (cut) return `${nodes}: ${cutWords(cut)}`;
  return `${nodes}: written ${range(e.from, e.to)}`;
}

/** Row is one conflict of the list. */
export function Row(props: {
  conflict: Summary;
  inbox: Inbox;
  active: boolean; // the keyboard is at it
  focused: boolean; // and is to be seen there
  selected: boolean;
  select: ((range: boolean) => void) | null; // null: nothing can be done with many of this state
}) {
  const { conflict: c } = props;
  const link = useRef<HTMLAnchorElement>(null);
  useLayoutEffect(() => {
    if (props.focused) link.current?.focus({ preventScroll: true });
  }, [props.focused]);
  useEffect(() => props.inbox.losses.want(c), [c.id, c.state]);
  const name = `${c.collection}/${c.doc_id}`;
  return (
    <div class={`conflicts-row${props.active ? " active" : ""}${props.selected ? " selected" : ""}`}>
      {props.select && (
        <label class="conflicts-check">
          <input type="checkbox" checked={props.selected} aria-label={`select ${name}`} onClick={(e) => props.select?.(e.shiftKey)} />
        </label>
      )}
      <a ref={link} class="conflicts-key" href={to("conflicts", [c.id])}>
        {c.collection} / <Id value={c.doc_id} most={36} />
      </a>
      <span class="conflicts-sides">
        {nodesOf(c).map((node) => (
          <span>{sideWords(c, node)}</span>
        ))}
      </span>
      <span class="conflicts-way">{c.state === "open" ? <Sign state="conflict" word={`open, policy ${c.policy.kind}`} /> : way(c)}</span>
      <span class="conflicts-age muted">
        <Ago at={c.siblings.at(-1)?.time ?? c.at ?? ""} />
      </span>
      <LossLine conflict={c} inbox={props.inbox} />
    </div>
  );
}

/** sideWords says what one node has written: when, and how many versions. */
function sideWords(c: Summary, node: string): string {
  const own = c.siblings.filter((s) => s.node === node);
  const last = own.at(-1);
  if (!last) return node;
  return `${node} ${clockTime(last.time, 1)}${last.deleted ? " deleted" : ""}${own.length > 1 ? ` (${own.length} versions)` : ""}`;
}

function LossLine({ conflict: c, inbox }: { conflict: Summary; inbox: Inbox }) {
  const told = inbox.losses.of(c).value;
  return (
    <span class="conflicts-loss">
      {told.state === "asking" && <span class="muted">{c.lost_count > 0 ? `${c.lost_count} lost …` : "…"}</span>}
      {told.state === "large" && <span class="muted">long documents: open it to see what differs</span>}
      {told.state === "failed" && <span class="muted">what differs is not known here: open it</span>}
      {told.state === "here" && (
        <>
          <bdi class="conflicts-fields">{told.loss.fields.slice(0, 3).join(", ") || "nothing differs"}</bdi>
          {told.loss.fields.length > 3 && <span> and {told.loss.fields.length - 3} more</span>}
          {told.loss.lost.slice(0, 2).map((l) => (
            <bdi class="conflicts-lost">{l}</bdi>
          ))}
          {Math.max(c.lost_count, told.loss.lost.length) > 2 && <span> and {Math.max(c.lost_count, told.loss.lost.length) - 2} more</span>}
        </>
      )}
    </span>
  );
}
