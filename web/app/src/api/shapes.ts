// The shapes of API.md that more than one screen reads. A screen's own shapes
// are in its folder. test/shapes.test.js holds every one against /openapi.json.
import { flag, list, number, type Of, or, orNull, shape, table, text } from "./decode.ts";

export const lag = shape({ versions: orNull(number), seconds: orNull(number), unknown_since: orNull(text) });
export type Lag = Of<typeof lag>;

const votesCount = shape({ have: number, need: number, of: number });

export const write = shape({
  state: text,
  cause: text,
  since: orNull(text),
  votes: votesCount,
  expires_in_ms: number,
  writable_nodes: list(text),
});
export type Write = Of<typeof write>;

export const peer = shape({
  name: text,
  reachable: flag,
  since: text,
  round_trip_ms: orNull(number),
  clock_offset_ms: orNull(number),
  node_lacks: lag,
  peer_lacks: lag,
});
export type Peer = Of<typeof peer>;

const member = shape({ name: text, role: text, api: text, peer: text, priority: number });

/** roster is what data nodes and the witness both say of the cluster. */
export const roster = shape({
  cluster: text,
  node: text,
  role: text,
  build: text,
  roster: shape({ epoch: number, members: list(member) }),
});
export type Roster = Of<typeof roster>;

export const cluster = shape({
  cluster: text,
  node: text,
  role: text,
  build: text,
  write,
  frontier: table(number),
  stable: table(number),
  catching_up: flag,
  disk: shape({ free_bytes: number, low: flag }),
  conflicts: shape({ open: number, settled: number }),
  peers: list(peer),
});
export type Cluster = Of<typeof cluster>;

export const witness = shape({
  cluster: text,
  node: text,
  build: text,
  vote: shape({
    state: text,
    opens_in_ms: number,
    holders: list(shape({ name: text, expires_in_ms: number })),
  }),
  writable_nodes: list(text),
  peers: list(shape({ name: text, reachable: flag, since: text, last_heard: orNull(text) })),
});
export type Witness = Of<typeof witness>;

export const link = shape({
  from: text,
  to: text,
  state: text,
  cause: text,
  since: text,
  round_trip_ms: orNull(number),
  bytes: number,
  faults: list(text),
  until: orNull(text),
  hearsay: flag,
});
export type Link = Of<typeof link>;

export const voter = shape({
  name: text,
  role: text,
  granted: flag,
  expires_in_ms: number,
  reason: text,
  last_heard: orNull(text),
  round_trip_ms: orNull(number),
  clock_offset_ms: orNull(number),
  live: orNull(flag), // by a witness: it heard this node lately
});
export type Voter = Of<typeof voter>;

export const voteEvent = shape({ time: text, kind: text, voter: text, to: text, reason: text });
export type VoteEvent = Of<typeof voteEvent>;

export const votes = shape({ voters: list(voter), log: or(list(voteEvent), []), alerts: or(list(text), []) });
export type Votes = Of<typeof votes>;

export const fault = shape({
  id: text,
  from: text,
  to: text,
  kind: text,
  both: flag,
  duration: text,
  started: text,
  expires: text,
  delay: or(text, ""),
  loss: or(number, 0),
});
export type Fault = Of<typeof fault>;

export const logLine = shape({ level: text, name: text, message: text, fields: or(table(text), new Map()) });
export type LogLine = Of<typeof logLine>;

const entry = shape({
  time: text,
  kind: text,
  state: or(text, ""),
  cause: or(text, ""),
  from: or(text, ""),
  to: or(text, ""),
  id: or(text, ""),
  fault: or(text, ""),
  both: or(flag, false),
  until: orNull(text),
});
export type Entry = Of<typeof entry>;

/** timeline is GET /v1/timeline: what a data node has kept of its own states. */
export const timeline = shape({
  node: text,
  from: text,
  to: text,
  before: list(entry),
  entries: list(entry),
  unknown: list(shape({ from: text, to: text, cause: text })),
  next: orNull(text),
});
export type Timeline = Of<typeof timeline>;

/** resolverNames are those that a policy may name. */
export const resolverNames = shape({ resolvers: list(shape({ name: text })) });

/** examples are the resolvers that come with the program. */
export const examples = shape({ resolvers: list(shape({ name: text, about: text, source: text })) });

/** problem is application/problem+json with what screens say of it. */
export const problem = shape({
  title: text,
  status: number,
  detail: text,
  code: text,
  scope: or(text, ""), // of 403: what the token lacks
  etag: or(text, ""), // of 412: what is there now, "" for nothing
  node: or(text, ""),
  cause: or(text, ""),
  since: orNull(text),
  writable_nodes: or(list(text), []),
  trace_id: or(text, ""),
});
export type ProblemShape = Of<typeof problem>;
