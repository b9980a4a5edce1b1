import type { Fault } from "../api/shapes.ts";
import { connection, told, type Member } from "../live/members.ts";

/** slowAfter is the round trip above which a link is called slow, in milliseconds: a lease is renewed every 150 ms. */
export const slowAfter = 100;

/** Look is how one direction of a link is drawn. */
export type Look = "up" | "slow" | "cut" | "unknown";

/** Says is what one member says of one direction of a link. */
export interface Says {
  who: string;
  state: "up" | "cut" | "unknown";
  cause: string;
  since: string | null;
  hearsay: boolean; // it is no end of the link
}

/** Put is a fault on a link, with the member that has it. */
export interface Put {
  member: Member;
  fault: Fault;
}

/** Direction is one way between two members, as both ends say. */
export interface Direction {
  from: Member;
  to: Member;
  says: Says[];
  roundTrip: number | null; // milliseconds, by the sender's own word, or else by the other's
  faults: Put[];
  look: Look;
}

/** Link is both ways between two members. */
export interface Link {
  key: string; // the names of both, in the order of the roster
  ends: readonly [Member, Member];
  ways: readonly [Direction, Direction];
  faults: Put[];
}

/** linksOf are the links of all members with each other, each end asked itself. */
export function linksOf(members: readonly Member[]): Link[] {
  return members.flatMap((a, i) =>
    members.slice(i + 1).map((b): Link => {
      const faults = [a, b].flatMap((member) => faultsOf(member, a, b));
      return { key: `${a.name}–${b.name}`, ends: [a, b], ways: [directionOf(members, a, b, faults), directionOf(members, b, a, faults)], faults };
    }),
  );
}

const tripOf = (from: Member, to: Member): number | null => told(from)?.links.find((l) => l.from === from.name && l.to === to.name)?.round_trip_ms ?? null;

function faultsOf(member: Member, a: Member, b: Member): Put[] {
  const between = (f: Fault) => (f.from === a.name && f.to === b.name) || (f.from === b.name && f.to === a.name);
  return (told(member)?.faults ?? []).filter(between).map((fault) => ({ member, fault }));
}

function directionOf(members: readonly Member[], from: Member, to: Member, all: Put[]): Direction {
  const says = [from, to].flatMap((end) => word(end, from, to));
  // Who is no end of it has it from others: asked only where both ends are silent.
  if (says.length === 0) says.push(...members.filter((m) => m !== from && m !== to).flatMap((m) => word(m, from, to)));
  const faults = all.filter(({ fault }) => fault.both || fault.from === from.name);
  const roundTrip = tripOf(from, to) ?? tripOf(to, from); // there and back again: a witness measures none
  return { from, to, says, roundTrip, faults, look: lookOf(says, faults, roundTrip) };
}

/** word is what a member says of one direction; of what it does not know it says nothing. */
function word(who: Member, from: Member, to: Member): Says[] {
  const t = told(who);
  if (!t) return [];
  if (t.witness) {
    // A witness asks nobody: it knows who reached it, and no more.
    const voter = who === to ? t.votes.voters.find((v) => v.name === from.name) : undefined;
    if (!voter) return [];
    if (voter.live) return [{ who: who.name, state: "up", cause: "", since: null, hearsay: false }];
    return [{ who: who.name, state: "cut", cause: "no ballot comes", since: voter.last_heard, hearsay: false }];
  }
  const l = t.links.find((one) => one.from === from.name && one.to === to.name);
  if (!l || (l.hearsay && l.state === "unknown")) return [];
  return [{ who: who.name, state: l.state === "up" || l.state === "cut" ? l.state : "unknown", cause: l.cause, since: l.since, hearsay: l.hearsay }];
}

function lookOf(says: Says[], faults: Put[], roundTrip: number | null): Look {
  if (says.some((s) => s.state === "cut") || faults.some(({ fault }) => fault.kind === "cut")) return "cut";
  if (!says.some((s) => s.state === "up")) return "unknown";
  return faults.length > 0 || (roundTrip !== null && roundTrip > slowAfter) ? "slow" : "up";
}

/** differ is true where the ends do not say the same. */
export const differ = ({ says }: Direction): boolean => new Set(says.map((s) => s.state)).size > 1;

/** strongest is the fault that tells most of a direction: what cuts, before what disturbs; of two the one that lasts longer. */
export function strongest(faults: Put[]): Fault | null {
  const rank = ["cut", "flap", "loss", "delay"];
  const sorted = faults.map((p) => p.fault).sort((a, b) => rank.indexOf(a.kind) - rank.indexOf(b.kind) || Date.parse(b.expires) - Date.parse(a.expires));
  return sorted[0] ?? null;
}

/** byChaos is a fault in words. */
export function byChaos(f: Fault): string {
  if (f.kind === "cut") return "cut by chaos";
  if (f.kind === "flap") return `flapping by chaos${f.delay ? ` (${f.delay})` : ""}`;
  if (f.kind === "loss") return `${Math.round(f.loss * 100)} % lost by chaos`;
  return `slow by chaos (${f.delay})`;
}

/** missing are the ends that do not say anything, because the page does not hear them. */
export const missing = (l: Link): Member[] => l.ends.filter((m) => !told(m) && connection(m).state === "lost");
