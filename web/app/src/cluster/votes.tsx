import { useState } from "preact/hooks";
import type { Voter } from "../api/shapes.ts";
import { now } from "../live/clock.ts";
import { told, type Member } from "../live/members.ts";
import { span } from "../parts/time.tsx";

/** forever is above every lease, in milliseconds: a node's own vote has no end. */
const forever = 1e9;
/** around is the length of a token's ring, in pixels: 2π times its radius. */
const around = 2 * Math.PI * 11;

// Leases are told in what is left of them, so the page counts from when it heard.
const heard = new WeakMap<readonly Voter[], number>();
let fullest = 1; // the longest lease that was heard of, in milliseconds: a ring is full by it

function heardAt(voters: readonly Voter[]): number {
  let at = heard.get(voters);
  if (at === undefined) {
    at = Date.now();
    heard.set(voters, at);
    for (const v of voters) if (v.expires_in_ms < forever) fullest = Math.max(fullest, v.expires_in_ms);
  }
  return at;
}

/** Vote is one vote at its holder. */
export interface Vote {
  voter: string;
  ends: number | null; // ms since 1970 by this browser; null: it has no end
}

/** votesAt are the votes that a data node says it holds; null when it says nothing. */
export function votesAt(m: Member): Vote[] | null {
  const t = told(m);
  if (!t?.node) return null;
  const at = heardAt(t.votes.voters);
  return t.votes.voters
    .filter((v) => v.granted)
    .map((v) => ({ voter: v.name, ends: v.expires_in_ms < forever ? at + v.expires_in_ms : null }))
    .filter((v) => v.ends === null || v.ends > now.value);
}

/** givenBy are the nodes that a witness says have its vote; null when it says nothing. */
export function givenBy(m: Member): Vote[] | null {
  const t = told(m);
  if (!t?.witness) return null;
  const at = heardAt(t.votes.voters);
  return t.votes.voters.filter((v) => v.granted).map((v) => ({ voter: v.name, ends: at + v.expires_in_ms }));
}

/** Tokens are votes at their holder, each with a ring that drains until it is renewed. */
export function Tokens({ votes }: { votes: Vote[] }) {
  return (
    <span class="cluster-tokens">
      {votes.map((v) => (
        <Token key={v.voter} vote={v} />
      ))}
    </span>
  );
}

function Token({ vote }: { vote: Vote }) {
  const said = `vote of ${vote.voter}${vote.ends === null ? ", its own" : ", lent for a time"}`;
  return (
    <svg class="cluster-token" width="26" height="26" viewBox="-13 -13 26 26" role="img" aria-label={said}>
      <title>{said}</title>
      <circle class="track" r="11" />
      <Ring key={vote.ends} ends={vote.ends} />
      <text y="4" text-anchor="middle">
        {vote.voter.slice(0, 3)}
      </text>
    </svg>
  );
}

/** Ring is one promise, as long as it is not renewed: it is laid down once and then drains by the clock of the browser. */
function Ring({ ends }: { ends: number | null }) {
  const [style] = useState(() => {
    const left = ends === null ? null : Math.max(0, ends - Date.now());
    const drained = left === null ? 0 : around * (1 - Math.min(1, left / fullest));
    return { strokeDasharray: `${around}`, strokeDashoffset: `${drained}`, animationDuration: `${left ?? 0}ms` };
  });
  return <circle class={ends === null ? "ring" : "ring drains"} r="11" transform="rotate(-90)" style={style} />;
}

/** LeaseLeft is how long the first of some votes still holds, in words. */
export function LeaseLeft({ votes }: { votes: Vote[] }) {
  const ends = votes.map((v) => v.ends).filter((e) => e !== null);
  if (ends.length === 0) return null;
  return <>{span(Math.max(0, Math.min(...ends) - now.value))} left</>;
}
