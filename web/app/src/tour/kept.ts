import { signal } from "@preact/signals";
import { list, number, or, orNull, shape, text, flag, type Of } from "../api/decode.ts";
import { parse } from "../api/exact.ts";
import { conflict } from "./shapes.ts";
import { exchange, type Exchange } from "./wire.ts";

// What the tour keeps for as long as the tab is open: what was sent and answered,
// and what cannot be seen in the cluster. Where the tour stands is always found
// from the cluster itself.

const place = "syncline.tour";

const tried = shape({ rule: text, balance: orNull(number), notes: list(text), rejected: orNull(text) });
export type Tried = Of<typeof tried>;

const kept = shape({
  begun: or(flag, false), // the account was opened in this tab
  missed: or(text, ""), // why the two writes did not both happen
  cutAt: or(number, 0), // milliseconds since 1970
  landedAt: or(number, 0),
  writes: or(text, ""), // names, once the vote has landed
  refuses: or(text, ""),
  refused: or(text, ""), // what the minority has answered, in words
  majority: or(text, ""), // what ack=majority was answered
  healedAt: or(number, 0),
  lags: or(list(shape({ after: number, lacks: text })), []),
  conflict: orNull(conflict),
  tried: or(list(tried), []),
  settled: orNull(conflict),
  digests: or(list(shape({ node: text, digest: text })), []),
  equal: or(flag, false),
  exchanges: or(list(exchange), []),
});
export type Kept = Of<typeof kept>;

/** nothing is what is kept before the tour has begun. */
export const nothing = (): Kept => kept({}, "");

function read(): Kept {
  try {
    return kept(parse(sessionStorage.getItem(place) ?? "{}"), "");
  } catch {
    return nothing(); // of another version of the page
  }
}

export const story = signal<Kept>(read());

/** maxExchanges is how many requests the tour keeps; a tour has about thirty. */
const maxExchanges = 60;

/** keep alters what is kept, and lays it down for a reload. */
export function keep(change: Partial<Kept>): void {
  story.value = { ...story.value, ...change };
  try {
    sessionStorage.setItem(place, JSON.stringify(story.value));
  } catch {
    // A browser without room or leave to store: then a reload begins again.
  }
}

export const noteExchange = (one: Exchange): void => keep({ exchanges: [...story.value.exchanges, one].slice(-maxExchanges) });
