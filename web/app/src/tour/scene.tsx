import type { Votes } from "../api/shapes.ts";
import { now } from "../live/clock.ts";
import { connection, holders, members, stateOf, told, type Member } from "../live/members.ts";
import { Sign } from "../parts/sign.tsx";
import { TextTwin } from "../parts/table.tsx";
import { Ago, Left } from "../parts/time.tsx";
import { cutBetween, facts, type Side } from "./account.ts";

/** lease is how long a vote is lent, in milliseconds, unless a node tells of more. */
const lease = 1_500;

/** When each state of the votes came: what is left of a lease runs out from there. */
const came = new WeakMap<Votes, number>();

/** leftOf are the votes that a node holds, each with how much of its lease is left, in milliseconds. */
function leftOf(votes: Votes): { name: string; left: number }[] {
  const since = came.get(votes) ?? Date.now();
  came.set(votes, since);
  return votes.voters.filter((v) => v.granted).map((v) => ({ name: v.name, left: Math.max(0, v.expires_in_ms - (now.value - since)) }));
}

/** Scene shows the two nodes, what they have for alice, their link and their votes. */
export function Scene({ a, b }: { a: Member; b: Member }) {
  const [ofA, ofB] = facts.value?.sides ?? [null, null];
  const fault = cutBetween(a, b);
  return (
    <section class="tour-scene" aria-label="The cluster now">
      <Seat m={a} side={ofA} />
      <div class={fault ? "tour-link cut" : "tour-link"}>
        <Line m={a} other={b} cut={fault !== null} />
        <span>
          {fault ? (
            <>
              ✂ cut by chaos, <Left until={fault.expires} />
            </>
          ) : (
            linkWords(a, b)
          )}
        </span>
      </div>
      <Seat m={b} side={ofB} />
      <Witness />
      <Twin a={a} b={b} cut={fault !== null} />
    </section>
  );
}

/** linkWords is what the page knows of a link that nobody cuts. */
function linkWords(a: Member, b: Member): string {
  const peer = told(a)?.node?.peers.find((p) => p.name === b.name);
  if (!peer) return "link unknown";
  if (!peer.reachable) return "silent";
  return peer.round_trip_ms === null ? "link up" : `${peer.round_trip_ms.toFixed(1)} ms`;
}

function Line({ m, other, cut }: { m: Member; other: Member; cut: boolean }) {
  const up = told(m)?.node?.peers.find((p) => p.name === other.name)?.reachable === true && !cut;
  return (
    <svg viewBox="0 0 100 16" preserveAspectRatio="none" class={up ? "up" : "dashed"} aria-hidden="true">
      <path d="M0 6Q50 0 100 6M0 10Q50 16 100 10" />
    </svg>
  );
}

function Seat({ m, side }: { m: Member; side: Side | null }) {
  const t = told(m);
  const state = stateOf(m);
  const c = connection(m);
  return (
    <div class={state === "readonly" ? "tour-seat hatched" : "tour-seat"}>
      <h2>
        {m.name} <Sign state={state} word />
      </h2>
      <p class="tour-balance">
        alice: <Balance side={side} />
      </p>
      {t?.node && t.votes ? <Tokens votes={t.votes} of={t.node.write.votes.of} /> : <p class="muted">votes unknown</p>}
      {c.state === "lost" && (
        <p class="muted">
          not reached since <Ago at={c.since} plain />: {c.why}
        </p>
      )}
    </div>
  );
}

function Balance({ side }: { side: Side | null }) {
  if (!side) return <span class="muted">unknown</span>;
  if (side.balance === null) return <span class="muted">no account yet</span>;
  return (
    <>
      balance <strong>{side.balance}</strong>
      {side.versions > 1 && (
        <>
          {" "}
          <Sign state="conflict" word={`${side.versions} versions`} />
        </>
      )}
    </>
  );
}

/** Tokens are the votes that a node holds, each in a ring that drains. */
function Tokens({ votes, of }: { votes: Votes; of: number }) {
  const held = leftOf(votes);
  return (
    <p class="tour-votes">
      {held.map(({ name, left }) => (
        <span class="tour-token" title={`the vote of ${name}, for ${(left / 1000).toFixed(1)} s more`}>
          <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
            <circle cx="10" cy="10" r="8" class="track" />
            <circle cx="10" cy="10" r="8" class="left" pathLength="1" stroke-dasharray={`${Math.min(1, left / lease)} 1`} transform="rotate(-90 10 10)" />
          </svg>
          {name}
        </span>
      ))}{" "}
      {held.length} of {of} votes
    </p>
  );
}

function Witness() {
  const w = members.value.find((m) => m.role === "witness");
  const names = holders.value;
  if (!w) return null;
  return (
    <p class="tour-witness">
      ☑ {w.name}, the witness: it votes, and stores no documents. Its vote: {names === null ? "unknown" : names.length ? names.join(" and ") : "nobody"}
    </p>
  );
}

function Twin({ a, b, cut }: { a: Member; b: Member; cut: boolean }) {
  const row = (m: Member, side: Side | null) => {
    const t = told(m)?.node;
    return [m.name, stateOf(m), side ? (side.balance ?? "no account") : "unknown", side?.versions || (side ? 1 : "unknown"), t ? `${t.write.votes.have} of ${t.write.votes.of}` : "unknown", cut ? "cut" : linkWords(a, b)];
  };
  const [ofA, ofB] = facts.value?.sides ?? [null, null];
  return <TextTwin caption="The cluster now" head={["node", "state", "balance", "versions", "votes", "link"]} rows={[row(a, ofA), row(b, ofB)]} />;
}
