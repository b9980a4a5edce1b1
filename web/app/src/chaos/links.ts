import type { Call } from "../api/call.ts";
import type { Fault, Link } from "../api/shapes.ts";
import { command } from "../api/twin.ts";
import { base, faults, members, told, type Member } from "../live/members.ts";

/** Held is one fault of a link, and the processes that have it. */
export interface Held {
  fault: Fault; // the one that lasts longest
  at: { member: Member; id: string }[];
}

/** held are all faults, those of both ends of a link as one. */
export function held(): Held[] {
  const out = new Map<string, Held>();
  for (const { member, fault } of faults.value) {
    const key = [fault.from, fault.to, fault.kind, fault.both, fault.delay, fault.loss].join(" ");
    const known = out.get(key);
    if (!known) out.set(key, { fault, at: [{ member, id: fault.id }] });
    else {
      known.at.push({ member, id: fault.id });
      if (fault.expires > known.fault.expires) known.fault = fault;
    }
  }
  return [...out.values()].sort((x, y) => x.fault.expires.localeCompare(y.fault.expires));
}

/** onWay are the faults that what goes from one to another meets. */
export const onWay = (from: string, to: string): Held[] =>
  held().filter(({ fault: f }) => (f.from === from && f.to === to) || (f.both && f.from === to && f.to === from));

/** told by the process at either end, the receiver first: it is the one that misses something. */
export function linkOf(from: Member, to: Member): Link | null {
  for (const m of [to, from]) {
    const link = told(m)?.links.find((l) => l.from === from.name && l.to === to.name && !l.hearsay);
    if (link) return link;
  }
  return null;
}

/** brave are those of some processes that take faults, as far as they are reached. */
const brave = (some: Member[]): Member[] => some.filter((m) => told(m)?.chaos);

/** cutCalls drop, on both ends, all that goes from one to another. */
export const cutCalls = (from: Member, to: Member, duration: string): Call[] =>
  brave([from, to]).map((m) => ({ base: m.base, method: "POST", path: "/v1/chaos/faults", body: { from: from.name, to: to.name, kind: "cut", both: false, duration } }));
export const cutCommand = (from: Member, to: Member, duration: string): string => command(base.value, "chaos", "cut", from.name, to.name, "--one-way", "--for", duration);

/** unwilling are the processes that take no faults, by their own word. */
export const unwilling = (): string[] => members.value.filter((m) => told(m)?.chaos === false).map((m) => m.name);

/** kindWords are what a fault does, in words. */
export function kindWords({ kind, delay, loss }: Fault): string {
  if (kind === "delay") return `slow by ${delay}`;
  if (kind === "loss") return `loses ${Math.round(loss * 100)} %`;
  if (kind === "flap") return delay ? `flaps every ${delay}` : "flaps";
  return kind;
}

export const between = (f: Fault): string => `${f.from} ${f.both ? "↔" : "→"} ${f.to}`;
