import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { connection, stateOf, told, type Member } from "../live/members.ts";
import { Sign } from "../parts/sign.tsx";
import { useWidth } from "../parts/size.ts";
import { TextTwin } from "../parts/table.tsx";
import { Ago, Left, span } from "../parts/time.tsx";
import { writeWords } from "../parts/writing.tsx";
import { arc, between, hull, hullHalf, narrow, places, type Point } from "./geometry.ts";
import { byChaos, differ, strongest, type Direction, type Link, type Says } from "./links.ts";
import { givenBy, LeaseLeft, Tokens, votesAt } from "./votes.tsx";
import { and } from "./words.ts";

/** The most links whose labels are all shown, and on a phone: of more, only those that are not well. */
const mostLabels = 10;
const mostOnPhone = 3;

/** Topology draws who reaches whom: nodes on a ring, the witness in its seat, two arcs a link. */
export function Topology({ members, links, chosen, choose }: { members: Member[]; links: Link[]; chosen: string; choose: (key: string) => void }) {
  const { box, width } = useWidth<HTMLDivElement>(800);
  const id = useId();
  const data = members.filter((m) => m.role === "data");
  const witness = members.find((m) => m.role === "witness") ?? null;
  const wide = Math.min(width, 880);
  const height = heightOf(members.length, wide);
  const at = places(data.map((m) => m.name), witness?.name ?? null, wide, height);
  const place = (m: Member): Point => at.get(m.name) ?? { x: 0, y: 0 };
  return (
    <>
      <div ref={box} class="cluster-topology-box">
        <div class="cluster-topology" style={{ width: `${wide}px`, height: `${height}px` }}>
          <svg width={wide} height={height} aria-hidden="true">
            <defs>
              <pattern id={`${id}-hatch`} class="cluster-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <path d="M0 0V7" />
              </pattern>
            </defs>
            {sides(data, links).map((side) => (
              <Hull path={hull(side.map(place), wide, height)} fill={`url(#${id}-hatch)`} />
            ))}
            {links.map((l) => (
              <g class={l.key === chosen ? "cluster-link chosen" : "cluster-link"} onClick={() => choose(l.key)}>
                {l.ways.map((way) => (
                  <Way way={way} from={place(way.from)} to={place(way.to)} />
                ))}
              </g>
            ))}
          </svg>
          {links.map((l) => (
            <Label link={l} at={between(place(l.ends[0]), place(l.ends[1]), crosses(l, members))} brief={links.length > (wide < narrow ? mostOnPhone : mostLabels)} open={l.key === chosen} choose={() => choose(l.key)} />
          ))}
          {members.map((m) => (
            <Seat member={m} at={place(m)} />
          ))}
        </div>
      </div>
      <TextTwin caption="Links" head={["from", "to", "is", "round trip", "who says"]} rows={links.flatMap((l) => l.ways.map(twin))} />
    </>
  );
}

/** heightOf grows with what there is to draw; on a phone the links are longer downwards than across. */
const heightOf = (members: number, wide: number): number => (wide < narrow ? 260 + 40 * members : members > 4 ? Math.min(560, Math.round(wide * 0.62)) : 264);

/** sides are the read-only nodes without a majority, those together that reach each other. */
function sides(data: Member[], links: Link[]): Member[][] {
  const minority = data.filter((m) => told(m)?.node?.write.cause === "no_majority");
  const out: Member[][] = [];
  const left = new Set(minority);
  for (const m of minority) {
    if (!left.delete(m)) continue;
    const side = [m];
    for (const one of side) {
      for (const l of links) {
        const other = l.ends[0] === one ? l.ends[1] : l.ends[1] === one ? l.ends[0] : null;
        if (other && l.ways.every((w) => w.look === "up" || w.look === "slow") && left.delete(other)) side.push(other);
      }
    }
    out.push(side);
  }
  return out;
}

/** Hull is a wide stroke around a side: its ends and corners are round by themselves. */
function Hull({ path, fill }: { path: string; fill: string }) {
  const wide = hullHalf * 2;
  return (
    <g class="cluster-hull">
      <path d={path} class="edge" stroke-width={wide + 2} />
      <path d={path} class="ground" stroke-width={wide} />
      <path d={path} stroke={fill} fill={fill} stroke-width={wide} />
    </g>
  );
}

/** crosses is true of the two links of four members that meet in the middle. Of more, labels stand where the fewest links are. */
function crosses({ ends }: Link, members: Member[]): boolean {
  const ring = [...members.filter((m) => m.role === "data"), ...members.filter((m) => m.role !== "data")];
  return ring.length === 4 && Math.abs(ring.indexOf(ends[0]) - ring.indexOf(ends[1])) === 2;
}

function Way({ way, from, to }: { way: Direction; from: Point; to: Point }) {
  const { path, head } = arc(from, to);
  return (
    <g class={`way ${way.look}`}>
      <path d={path} class="reach" />
      <path d={path} class="line moves" />
      <polygon points={head} />
    </g>
  );
}

function Label({ link, at, brief, open, choose }: { link: Link; at: Point; brief: boolean; open: boolean; choose: () => void }) {
  const [there, back] = link.ways;
  const well = link.ways.every((w) => w.look === "up") && !differ(there) && !differ(back);
  const one = sameWords(there, back);
  return (
    <button type="button" class={`cluster-label ${there.look === back.look ? there.look : "mixed"}`} style={{ left: `${at.x}px`, top: `${at.y}px` }} aria-expanded={open} aria-controls="cluster-panel" onClick={choose}>
      <span class="hidden">Link {link.key}: </span>
      {well && brief ? (
        <>
          <span aria-hidden="true">·</span>
          <span class="hidden">{plain(there)}</span>
        </>
      ) : one ? (
        <Words way={there} />
      ) : (
        link.ways.map((way) => (
          <span class="line">
            {way.from.name}→{way.to.name} <Words way={way} />
          </span>
        ))
      )}
    </button>
  );
}

/** sameWords is true where both directions are as each other, so that one label says both. */
function sameWords(a: Direction, b: Direction): boolean {
  const fault = strongest(a.faults)?.kind;
  return a.look === b.look && fault === strongest(b.faults)?.kind && (fault !== undefined || (!differ(a) && !differ(b)));
}

/** Words say a direction: what chaos does to it and until when, or since when it is silent, or its round trip. */
function Words({ way }: { way: Direction }) {
  const fault = strongest(way.faults);
  const scissors = way.look === "cut" && <span aria-hidden="true">✂ </span>;
  if (fault) {
    return (
      <>
        {scissors}
        {byChaos(fault)}, <Left until={fault.expires} />
      </>
    );
  }
  if (differ(way)) {
    return (
      <>
        {scissors}
        {and(way.says.map((s) => `${s.who} says ${s.state}`))}
      </>
    );
  }
  if (way.look === "cut") {
    const since = way.says.find((s) => s.since !== null)?.since;
    return (
      <>
        {scissors}
        {since ? (
          <>
            silent for <Ago at={since} plain />
          </>
        ) : (
          "silent since the start"
        )}
      </>
    );
  }
  return <>{plain(way)}</>;
}

/** plain is a direction without faults in words that do not change by themselves. */
function plain(way: Direction): string {
  if (way.look === "unknown") return "unknown";
  if (way.look === "slow") return `slow: ${trip(way)}`;
  return trip(way) || "up";
}

/** trip is a round trip, to a tenth of a millisecond where it is short. */
export function trip(way: Direction): string {
  const ms = way.roundTrip;
  return ms === null ? "" : ms < 10 ? `${ms.toFixed(1)} ms` : span(ms);
}

function Seat({ member, at }: { member: Member; at: Point }) {
  const write = told(member)?.node?.write;
  const state = stateOf(member);
  return (
    <div class={`cluster-seat ${member.role} ${state}`} style={{ left: `${at.x}px`, top: `${at.y}px` }}>
      {member.role === "witness" ? <Ballot /> : null}
      <strong>{member.name}</strong> <Sign state={state} word={member.role === "witness" ? witnessWord(member) : write ? short(write.state, write.cause) : state === "down" ? "not reached" : "connecting"} />
      {member.role === "witness" ? <Given by={member} /> : <Held at={member} />}
    </div>
  );
}

/** short is what stands beside a node: its card says more. */
const short = (state: string, cause: string): string => (cause === "no_majority" ? "read-only" : writeWords(state, cause).toLowerCase());

function witnessWord(m: Member): string {
  const state = told(m)?.witness?.vote.state;
  const words: Record<string, string> = { granting: "gives its vote", waiting: "waits after its start", spare: "has no vote: the nodes are odd in number" };
  return state ? (words[state] ?? state) : connection(m).state === "lost" ? "not reached" : "connecting";
}

function Held({ at }: { at: Member }) {
  const votes = votesAt(at);
  if (votes === null) return <Line>votes unknown</Line>;
  return <Tokens votes={votes} />;
}

function Given({ by }: { by: Member }) {
  const votes = givenBy(by);
  if (votes === null) return <Line>its vote is unknown</Line>;
  if (votes.length === 0) return <Line>vote: nobody</Line>;
  return (
    <Line>
      vote: {and(votes.map((v) => v.voter))}, <LeaseLeft votes={votes} />
    </Line>
  );
}

const Line = ({ children }: { children: ComponentChildren }) => <span class="muted cluster-line">{children}</span>;

/** Ballot is the witness's sign: a box with a slot, and a ballot in it. */
function Ballot() {
  return (
    <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" class="cluster-ballot">
      <rect x="1.5" y="8.5" width="15" height="8" />
      <path d="M5 8.5V1.5H13V8.5M7 4.5l1.6 1.6L11.4 3M3.5 8.5H14.5" />
    </svg>
  );
}

function twin(way: Direction): ComponentChildren[] {
  return [way.from.name, way.to.name, <Words way={way} />, trip(way) || "unknown", way.says.length ? and(way.says.map(saysWords)) : "nobody: neither end answers this page"];
}

const saysWords = (s: Says): string => `${s.who} says ${s.state}${s.hearsay ? " (hearsay)" : ""}${s.cause ? `: ${s.cause}` : ""}`;
