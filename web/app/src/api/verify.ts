import { number, type Of, shape, table, text } from "./decode.ts";

/** verify is GET /v1/verify: what a node has, as digests. */
export const verify = shape({
  node: text,
  frontier: table(number),
  loose: number,
  collections: table(shape({ digest: text, documents: number, tombstones: number, conflicts: number })),
});
export type Verify = Of<typeof verify>;

/** comparable says whether two nodes have had the same writes and nothing is on its way, so that equal digests mean equal documents. */
export const comparable = (a: Verify, b: Verify): boolean => a.loose === 0 && b.loose === 0 && sameFrontier(a.frontier, b.frontier);

/** sameFrontier says whether two nodes have had the same writes. */
export const sameFrontier = (a: Map<string, number>, b: Map<string, number>): boolean => a.size === b.size && [...a].every(([actor, seq]) => b.get(actor) === seq);
