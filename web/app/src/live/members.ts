import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { ask, Refused } from "../api/call.ts";
import { roster, type Fault, type Roster } from "../api/shapes.ts";
import { now } from "./clock.ts";
import { Feed, type Connection } from "./feed.ts";
import type { Told } from "./told.ts";

/** Member is one process of the cluster, and what it says of itself. */
export interface Member {
  name: string;
  role: "data" | "witness";
  base: string; // "http://127.0.0.1:7401"; "" when the roster has no API address of it
  feed: Feed | null;
}

/** State is the four signs of the page, the same everywhere. */
export type State = "writable" | "readonly" | "unknown" | "down";

/** The page's own node: the one that served it. */
export const here = location.origin;

export const cluster = signal<Roster | null>(null);
export const members = signal<Member[]>([]);
/** Why the roster is not known, or "" when it is. */
export const unreachable = signal("");
/** The name of the node whose data the screens show. */
export const viewed = signal("");

export const dataNodes: ReadonlySignal<Member[]> = computed(() => members.value.filter((m) => m.role === "data"));
export const viewedMember: ReadonlySignal<Member | undefined> = computed(() => members.value.find((m) => m.name === viewed.value));
/** The base URL of the node viewed. */
export const base: ReadonlySignal<string> = computed(() => viewedMember.value?.base ?? here);

export const told = (m: Member): Told | null => m.feed?.told.value ?? null;
export const connection = (m: Member): Connection => m.feed?.connection.value ?? noAddress;
const noAddress: Connection = { state: "lost", since: Date.now(), why: "the roster has no API address of it" };

/** stateOf is what a process says of itself, or that nothing is known of it. */
export function stateOf(m: Member): State {
  const t = told(m);
  if (!t) return connection(m).state === "lost" ? "down" : "unknown";
  const state = t.node ? t.node.write.state : t.witness?.vote.state;
  return state === "writable" || state === "override" || state === "granting" ? "writable" : "readonly";
}

/** How often the roster is asked for while no node answers, in milliseconds. */
const again = 2_000;

let retry = 0;

/** connect learns the roster from the page's own node and follows every member of it. */
export async function connect(): Promise<void> {
  clearTimeout(retry); // there is one try at a time, whoever asked for it
  try {
    const answer = await ask(here, "/v1/cluster", roster);
    unreachable.value = "";
    cluster.value = answer;
    if (!viewed.value) viewed.value = answer.node;
    follow(answer);
  } catch (error) {
    // A node that asks who somebody is does answer: the login says so.
    const asked = error instanceof Refused && error.problem.status === 401;
    unreachable.value = asked ? "" : String(error instanceof Error ? error.message : error);
    retry = window.setTimeout(() => void connect(), again);
  }
}

function follow(answer: Roster): void {
  const old = new Map(members.value.map((m) => [m.name, m]));
  members.value = answer.roster.members.map(({ name, role, api }) => {
    const base = name === answer.node ? here : api && `${location.protocol}//${api}`;
    const known = old.get(name);
    if (known?.base === base) return known;
    known?.feed?.close();
    return { name, role: role === "witness" ? "witness" : "data", base, feed: base ? new Feed(base) : null };
  });
}

/** faults are all that chaos has put on the cluster and that has not ended, each once, by its first end. */
export const faults: ReadonlySignal<{ member: Member; fault: Fault }[]> = computed(() =>
  members.value.flatMap((member) =>
    (told(member)?.faults ?? []).filter((fault) => Date.parse(fault.expires) > now.value).map((fault) => ({ member, fault })),
  ),
);

/** open is how many conflicts are open, as far as it is known, and which nodes do not say. */
export const openConflicts: ReadonlySignal<{ count: number | null; silent: string[] }> = computed(() => {
  const counts = dataNodes.value.map((m) => told(m)?.node?.conflicts.open ?? null);
  const known = counts.filter((n) => n !== null);
  const silent = dataNodes.value.filter((_, i) => counts[i] === null).map((m) => m.name);
  return { count: known.length ? Math.max(...known) : null, silent };
});

/** holders is whom the witness gives its vote, by its own word; null when it does not say. */
export const holders: ReadonlySignal<string[] | null> = computed(() => {
  const w = members.value.find((m) => m.role === "witness");
  const votes = w && told(w)?.votes;
  return votes ? votes.voters.filter((v) => v.granted).map((v) => v.name) : null;
});
