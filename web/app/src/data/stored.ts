import { computed, useSignal } from "@preact/signals";
import { Refused, segment, send, Silent } from "../api/call.ts";
import { dataNodes, type Member, told } from "../live/members.ts";
import { useEvery } from "../parts/every.ts";

/** pathOf is a document's route. */
export const pathOf = (collection: string, id: string): string => `/v1/docs/${collection}/${segment(id)}`;

/** Stored is a document as one node shows it. */
export interface Stored {
  text: string | null; // as it is stored, byte for byte; null where there is none
  gone: "" | "deleted" | "not_found";
  etag: string; // "" where there is none
  context: string; // what a writer who saw this had seen
  versions: number; // live ones, when two or more
  node: string;
  writes: string; // Write-State
  lag: string; // Replication-Lag
}

/** read asks a node for a document. That there is none is an answer, too. */
export async function read(base: string, path: string, signal?: AbortSignal): Promise<Stored> {
  try {
    const reply = await send({ base, method: "GET", path }, signal);
    return storedOf(reply.headers, reply.text, "");
  } catch (error) {
    const code = error instanceof Refused ? error.problem.code : "";
    if (error instanceof Refused && (code === "deleted" || code === "not_found")) return storedOf(error.reply.headers, null, code);
    throw error;
  }
}

function storedOf(h: Headers, text: string | null, gone: Stored["gone"]): Stored {
  const said = (name: string): string => h.get(name) ?? "";
  return { text, gone, etag: said("ETag"), context: said("Causal-Context"), versions: Number(said("Conflict-Count")), node: said("Node"), writes: said("Write-State"), lag: said("Replication-Lag") };
}

/** Copy is what one node has of a document now, by its own word. */
export interface Copy {
  name: string;
  state: "here" | "absent" | "unknown";
  etag: string;
  versions: number;
  writes: string;
  lag: string;
  why: string; // of one that is unknown
  since: number; // since when it is unknown
}

/** every is how long after an answer each node is asked again what it has, in milliseconds. */
const every = 2_000;
/** within is how long a node may take to say what it has, in milliseconds: after that it is unknown. */
const within = 3_000;

/** states is who takes writes, computed apart from all else that nodes tell many times a second. */
const states = computed(() => dataNodes.value.map((m) => `${m.name} ${told(m)?.node?.write.state}`).join());

/**
 * useCopies asks each data node itself which version it has, again and again
 * while somebody looks, and at once when a node begins or ends to take writes.
 */
export function useCopies(path: string): { copies: Copy[]; again: () => void } {
  const copies = useSignal<Copy[]>([]);
  const round = useSignal(0);
  const ask = async (signal: AbortSignal) => {
    const look = async (m: Member) => {
      const copy = await copyOf(m, path, copies.peek().find((c) => c.name === m.name), signal);
      if (!signal.aborted) copies.value = dataNodes.peek().flatMap((n) => (n.name === m.name ? [copy] : copies.peek().filter((c) => c.name === n.name)));
    };
    await Promise.all(dataNodes.peek().map(look)); // a node that is silent holds up no other
  };
  useEvery(every, ask, [path, states.value, round.value]);
  return { copies: copies.value, again: () => void round.value++ };
}

async function copyOf(m: Member, path: string, before: Copy | undefined, signal: AbortSignal): Promise<Copy> {
  const copy = (state: Copy["state"], h: Headers): Copy => {
    const s = storedOf(h, null, "");
    return { name: m.name, state, etag: s.etag, versions: s.versions, writes: s.writes, lag: s.lag, why: "", since: 0 };
  };
  const limit = AbortSignal.timeout(within);
  try {
    if (!m.base) throw new Silent(m.name, "the roster has no API address of it");
    return copy("here", (await send({ base: m.base, method: "HEAD", path }, AbortSignal.any([signal, limit]))).headers);
  } catch (error) {
    if (error instanceof Refused && error.problem.status === 404) return copy("absent", error.reply.headers);
    const why = limit.aborted ? `silent for ${within / 1000} s` : error instanceof Silent ? error.why : error instanceof Error ? error.message : String(error);
    const since = before?.state === "unknown" ? before.since : Date.now();
    return { name: m.name, state: "unknown", etag: "", versions: 0, writes: "", lag: "", why, since };
  }
}
