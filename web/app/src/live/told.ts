import { type Of, or, orNull, shape, list, flag, number, text, type Decoder, anything } from "../api/decode.ts";
import * as shapes from "../api/shapes.ts";

/**
 * Told is what one process says of itself, as long as its stream is alive. It
 * is dropped with the stream: the last value is not a value.
 */
export interface Told {
  build: string;
  node: shapes.Cluster | null; // of a data node
  witness: shapes.Witness | null; // of a witness
  links: shapes.Link[];
  votes: shapes.Votes;
  lag: shapes.Lag | null;
  standing: string;
  faults: shapes.Fault[];
  chaos: boolean; // it takes faults
  run: Run | null; // a script that it carries out now
  log: LogEntry[]; // warnings and errors, the newest last
}

export interface LogEntry extends shapes.LogLine {
  time: string;
}

/** maxLog is how many lines of one process the page keeps. */
const maxLog = 200;
/** maxVoteLog is how many grants, refusals and expiries of one process the page keeps. */
const maxVoteLog = 200;

/** Event is one of a stream of events, decoded but for its data. */
export const event = shape({ id: or(text, ""), event: or(text, ""), time: or(text, ""), data: anything });
export type Event = Of<typeof event>;

const links = shape({ links: list(shapes.link) });
const standing = shape({ old: text, new: text });
const conflicts = shape({ open: number, settled: number });
const lagging = shape({ lag: orNull(shapes.lag), peers: list(shapes.peer) });
const faultChange = shape({ state: text, fault: shapes.fault });

/** run is a chaos script that a node carries out, or has carried out. */
export const run = shape({ id: text, script: text, seed: number, node: text, state: text, started: text, ended: orNull(text), error: or(text, "") });
export type Run = Of<typeof run>;

const runChange = shape({ state: text, run });
const role = shape({ cluster: shape({ role: text, build: text }) });

const whole = shape({
  links: or(links, { links: [] }),
  votes: shapes.votes,
  standing: or(text, ""),
  faults: or(list(shapes.fault), []),
  chaos: or(flag, false),
  run: orNull(run),
});
const nodeState = shape({ cluster: shapes.cluster });
const witnessState = shape({ cluster: shapes.witness });

/** begin is what the first event of a stream tells: the whole state. */
export function begin(data: unknown): Told {
  const { cluster } = role(data, "");
  const state = whole(data, "");
  const isWitness = cluster.role === "witness";
  return {
    build: cluster.build,
    node: isWitness ? null : nodeState(data, "").cluster,
    witness: isWitness ? witnessState(data, "").cluster : null,
    links: state.links.links,
    votes: state.votes,
    lag: null,
    standing: state.standing,
    faults: state.faults,
    chaos: state.chaos,
    run: state.run,
    log: [],
  };
}

type Step = (told: Told, data: unknown, time: string) => Told;

/** to decodes the data of an event, then alters what is told by it. */
const to =
  <T>(decoder: Decoder<T>, alter: (told: Told, data: T, time: string) => Partial<Told>): Step =>
  (told, data, time) => ({ ...told, ...alter(told, decoder(data, ""), time) });

const node = (told: Told, change: Partial<shapes.Cluster>): Partial<Told> => ({ node: told.node && { ...told.node, ...change } });

const steps: Record<string, Step> = {
  write: to(shapes.write, (t, write) => node(t, { write })),
  lag: to(lagging, (t, { lag, peers }) => ({ lag, ...node(t, { peers }) })),
  conflicts: to(conflicts, (t, counts) => node(t, { conflicts: counts })),
  votes: to(shapes.votes, (t, { voters, alerts }) => ({ votes: { ...t.votes, voters, alerts } })),
  vote: to(shapes.voteEvent, (t, one) => ({ votes: { ...t.votes, log: [...t.votes.log, one].slice(-maxVoteLog) } })),
  standing: to(standing, (_, s) => ({ standing: s.new })),
  log: to(shapes.logLine, (t, line, time) => ({ log: [...t.log, { ...line, time }].slice(-maxLog) })),
  link: to(shapes.link, (t, one) => ({
    links: [...t.links.filter((l) => l.from !== one.from || l.to !== one.to), one],
  })),
  chaos: to(runChange, (_, { run }) => ({ run: run.ended === null ? run : null })),
  fault: to(faultChange, (t, { state, fault }) => {
    const others = t.faults.filter((f) => f.id !== fault.id);
    return { faults: state === "begun" ? [...others, fault] : others };
  }),
};

/** next is what is told after one more event. A kind that this page does not know alters nothing. */
export const next = (told: Told, e: Event): Told => steps[e.event]?.(told, e.data, e.time) ?? told;
