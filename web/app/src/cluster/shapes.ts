import { list, number, type Of, shape, text } from "../api/decode.ts";

const given = shape({ time: text, last: text, count: number, kind: text, to: text, reason: text });

/** ballots is GET /v1/cluster/votes of a witness: equal answers to one node are one entry, from time to last. */
export const ballots = shape({ state: text, log: list(given) });
export type Ballots = Of<typeof ballots>;
