import type { ComponentChildren } from "preact";
import type { Lag } from "../api/shapes.ts";
import { readings } from "../live/figures.ts";
import { grown, type Reading } from "../live/reading.ts";
import { connection, dataNodes, members, stateOf, told, type Member } from "../live/members.ts";
import { Sign } from "../parts/sign.tsx";
import { bytes, count, Id } from "../parts/text.tsx";
import { Ago, span } from "../parts/time.tsx";
import { writeWords } from "../parts/writing.tsx";
import { givenBy, LeaseLeft, votesAt } from "./votes.tsx";
import { and } from "./words.ts";

/** Cards say all that each process says of itself, and what others say of it as hearsay. */
export function Cards() {
  return (
    <div class="cluster-cards">
      {members.value.map((m) => (
        <section aria-label={`${m.role === "witness" ? "witness" : "node"} ${m.name}`}>
          <h3>
            {m.name} <Sign state={stateOf(m)} word={wordOf(m)} />
          </h3>
          <dl>{m.role === "witness" ? <Witness m={m} /> : <Node m={m} />}</dl>
        </section>
      ))}
    </div>
  );
}

function wordOf(m: Member): string {
  const t = told(m);
  if (t?.node) return writeWords(t.node.write.state, t.node.write.cause);
  if (t?.witness) return `witness, ${t.witness.vote.state}`;
  return connection(m).state === "lost" ? "not reached" : "connecting";
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Node({ m }: { m: Member }) {
  const t = told(m);
  const n = t?.node;
  if (!t || !n) return <Unheard m={m} />;
  return (
    <>
      <Row name="since">{n.write.since ? <Ago at={n.write.since} plain /> : "unknown"}</Row>
      <Row name="votes">
        {n.write.votes.have} of {n.write.votes.of}, needs {n.write.votes.need}
        <Lease m={m} />
      </Row>
      <Row name="writes">
        <Rate of={readings.value.get(m.name) ?? []} />
      </Row>
      <Row name="conflicts">
        {n.conflicts.open > 0 && <Sign state="conflict" />} {n.conflicts.open} open, {n.conflicts.settled} on record
      </Row>
      <Behind m={m} />
      <Row name="clock">{offsets(m)}</Row>
      <Row name="disk">
        {bytes(n.disk.free_bytes)} free{n.disk.low && <b class="warn">: too little, it takes no writes</b>}
      </Row>
      <Row name="standing">{t.standing || "unknown"}</Row>
      <Common m={m} build={t.build} chaos={t.chaos} />
    </>
  );
}

function Witness({ m }: { m: Member }) {
  const t = told(m);
  if (!t?.witness) return <Unheard m={m} />;
  return (
    <>
      <Row name="vote">
        <Holders m={m} />
      </Row>
      <Row name="heard">
        {t.votes.voters.map((v, i) => (
          <>
            {i > 0 && ", "}
            {v.name} {v.last_heard ? v.live ? "just now" : <Ago at={v.last_heard} /> : "never"}
          </>
        ))}
      </Row>
      <Common m={m} build={t.build} chaos={t.chaos} />
    </>
  );
}

/** Lease and Holders count down, so each is drawn alone. */
function Lease({ m }: { m: Member }) {
  const votes = votesAt(m) ?? [];
  if (votes.length < 2) return null;
  return (
    <span class="muted">
      {" "}
      (<LeaseLeft votes={votes} />)
    </span>
  );
}

function Holders({ m }: { m: Member }) {
  const given = givenBy(m) ?? [];
  if (given.length === 0) return <>nobody</>;
  return (
    <>
      {and(given.map((v) => v.voter))}{" "}
      <span class="muted">
        (<LeaseLeft votes={given} />)
      </span>
    </>
  );
}

function Common({ m, build, chaos }: { m: Member; build: string; chaos: boolean }) {
  return (
    <>
      <Row name="build">
        <Id value={build} />
      </Row>
      <Row name="chaos">{chaos ? "takes faults" : "started without --chaos"}</Row>
      <Row name="API">
        {m.role === "witness" ? <Id value={m.base} most={40} /> : <a href={`${m.base}/ui/`}>{m.base.replace(/^https?:\/\//, "")}</a>}
      </Row>
    </>
  );
}

/** Unheard is a process that says nothing: unknown, since when, and what others say of it. */
function Unheard({ m }: { m: Member }) {
  const c = connection(m);
  const others = dataNodes.value.flatMap((o) => (told(o)?.node?.peers ?? []).filter((p) => p.name === m.name).map((p) => ({ who: o.name, p })));
  return (
    <>
      <Row name="all">
        unknown since <Ago at={c.since} plain />
        {c.state === "lost" && <span class="muted">: {c.why}</span>}
      </Row>
      {others.map(({ who, p }) => (
        <Row name={`${who} says`}>
          {p.reachable ? "it answers ballots" : "it does not answer"} since <Ago at={p.since} plain />; it lacks <Lacks lag={p.peer_lacks} /> <span class="muted">(hearsay)</span>
        </Row>
      ))}
      <Row name="API">{m.base ? m.base.replace(/^https?:\/\//, "") : "none in the roster"}</Row>
    </>
  );
}

/** Behind is what a node lacks by its own word, and by that of the others. */
function Behind({ m }: { m: Member }) {
  const own = (told(m)?.node?.peers ?? []).map((p) => ({ name: p.name, lag: p.node_lacks }));
  const others = dataNodes.value.flatMap((o) => (o === m ? [] : (told(o)?.node?.peers ?? []).filter((p) => p.name === m.name).map((p) => ({ name: o.name, lag: p.peer_lacks }))));
  return (
    <Row name="lacks">
      <Lags of={own} none="nothing" before="of " />
      {others.length > 0 && (
        <span class="muted">
          {" "}
          (<Lags of={others} none={`${and(others.map((o) => o.name))} ${others.length === 1 ? "says" : "say"} so too`} before="" after=" says" />)
        </span>
      )}
    </Row>
  );
}

/** Lags lists those that are not nothing. */
function Lags({ of, none, before, after = "" }: { of: { name: string; lag: Lag }[]; none: string; before: string; after?: string }) {
  const some = of.filter(({ lag }) => lag.versions !== 0);
  if (some.length === 0) return <>{none}</>;
  return (
    <>
      {some.map(({ name, lag }, i) => (
        <>
          {i > 0 && "; "}
          {before}
          {name}
          {after}: <Lacks lag={lag} />
        </>
      ))}
    </>
  );
}

/** Lacks is a lag; what is not known is said to be, with since when. */
export function Lacks({ lag }: { lag: Lag }) {
  if (lag.versions === null) {
    return (
      <>
        unknown
        {lag.unknown_since && (
          <>
            {" "}
            since <Ago at={lag.unknown_since} plain />
          </>
        )}
      </>
    );
  }
  if (lag.versions === 0) return <>nothing</>;
  return (
    <>
      {count(lag.versions, "version")}
      {lag.seconds !== null && `, ${span(lag.seconds * 1000)}`}
    </>
  );
}

function offsets(m: Member): string {
  const known = (told(m)?.votes.voters ?? []).flatMap((v) => (v.clock_offset_ms === null ? [] : [`${v.name} ${offset(v.clock_offset_ms)}`]));
  return known.length ? known.join(", ") : "unknown: it reaches nobody";
}

const offset = (ms: number): string => `${Math.abs(ms) < 0.05 ? "" : ms > 0 ? "+" : "−"}${Math.abs(ms).toFixed(1)} ms`;

/** mostBars is how many readings a small chart shows. */
const mostBars = 30;

/** Rate is writes a second, with a small chart of the last minute. */
function Rate({ of }: { of: readonly Reading[] }) {
  const rates = of.slice(-mostBars - 1).map((r, i, all) => (i === 0 ? null : grown(all[i - 1], r, "writes"))).slice(1);
  const last = rates.at(-1);
  const perSecond = rates.map((r) => (r === null ? null : r.by / r.in));
  const top = Math.max(1, ...perSecond.filter((r) => r !== null));
  return (
    <>
      {last ? `${Math.round(last.by / last.in).toLocaleString("en")}/s` : "counting …"}{" "}
      <svg width={mostBars * 3} height="14" aria-hidden="true" class="cluster-bars">
        {perSecond.map((r, i) => (r === null ? null : <rect x={i * 3} y={13 - (12 * r) / top} width="2" height={1 + (12 * r) / top} />))}
      </svg>
    </>
  );
}
