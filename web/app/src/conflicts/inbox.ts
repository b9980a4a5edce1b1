import { signal, type Signal } from "@preact/signals";
import { ask } from "../api/call.ts";
import { Losses } from "./losses.ts";
import { page, type Summary } from "./shapes.ts";

export const states = ["open", "settled", "reviewed"] as const;
export type State = (typeof states)[number];

/** Filter is what the list is of. by is who ended a conflict, so it leaves the open ones alone. */
export interface Filter {
  c: string;
  by: string;
}

/** perPage is how many conflicts are asked for at once. */
const perPage = 250;
/** unasked is how many conflicts of a state are read without anybody scrolling to them. */
const unasked = 2_000;
/** restAtLeast is the shortest pause between two readings, in milliseconds; a reading that took long is followed by a pause four times as long. */
const restAtLeast = 250;
const restTimes = 4;

/** Listing is the conflicts of one state, as far as they were read. */
export interface Listing {
  rows: Summary[];
  next: string | null; // cursor of the next page
  read: boolean; // it was asked for at all
}

/** Inbox is what one node knows of its conflicts. */
export interface Known {
  lists: Record<State, Listing>;
  open: number; // of all collections
  records: number; // settled and reviewed, of all collections
  at: number;
}

export type Standing = { state: "asking" } | { state: "here"; known: Known } | { state: "failed"; error: unknown; at: number };

const nothing: Listing = { rows: [], next: null, read: false };

/** Inbox reads the conflicts of one node by pages, and again when they change. What failed is not shown as what was. */
export class Inbox {
  readonly standing: Signal<Standing> = signal({ state: "asking" });
  readonly reading: Signal<boolean> = signal(false);
  readonly losses: Losses;
  private readonly stop = new AbortController();
  private timer = 0;
  private dirty = false;
  private busy = false;
  private restUntil = 0;

  constructor(
    readonly base: string,
    readonly filter: Filter,
  ) {
    this.losses = new Losses(base);
    void this.read();
  }

  /** close gives up on what is under way. */
  close(): void {
    this.stop.abort();
    clearTimeout(this.timer);
    this.losses.close();
  }

  /** again reads anew, as soon as that is not too often. */
  again(): void {
    if (this.busy) {
      this.dirty = true;
      return;
    }
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.read(), Math.max(0, this.restUntil - Date.now()));
  }

  /** more reads the next page of a list, for who has come near its end. */
  async more(state: State): Promise<void> {
    const is = this.standing.value;
    if (this.busy || is.state !== "here" || is.known.lists[state].next === null) return;
    await this.work(async () => {
      const known = await this.page(is.known, state, is.known.lists[state]);
      this.standing.value = { state: "here", known };
    });
  }

  private async read(): Promise<void> {
    await this.work(async () => {
      const before = this.standing.value.state === "here" ? this.standing.value.known : null;
      let known: Known = { lists: { open: nothing, settled: nothing, reviewed: nothing }, open: 0, records: 0, at: Date.now() };
      for (const state of states) {
        if (state === "open" && this.filter.by) continue;
        const enough = Math.max(unasked, before?.lists[state].rows.length ?? 0);
        do {
          known = await this.page(known, state, known.lists[state]);
          // The first time each page is shown as it comes; later the whole takes the place of what is there.
          if (!before) this.standing.value = { state: "here", known };
        } while (known.lists[state].next !== null && known.lists[state].rows.length < enough);
      }
      this.standing.value = { state: "here", known };
    });
  }

  private async page(known: Known, state: State, list: Listing): Promise<Known> {
    const query = new URLSearchParams({ state, limit: String(perPage) });
    if (this.filter.c) query.set("c", this.filter.c);
    if (this.filter.by && state !== "open") query.set("by", this.filter.by);
    if (list.next) query.set("cursor", list.next);
    const answer = await ask(this.base, `/v1/conflicts?${query}`, page, this.stop.signal);
    const rows = [...list.rows, ...answer.conflicts];
    return { ...known, lists: { ...known.lists, [state]: { rows, next: answer.next, read: true } }, ...answer.meta, at: Date.now() };
  }

  /** work does one reading at a time. */
  private async work(task: () => Promise<void>): Promise<void> {
    if (this.busy || this.stop.signal.aborted) return;
    this.busy = true;
    this.dirty = false;
    this.reading.value = true;
    const began = Date.now();
    try {
      await task();
    } catch (error) {
      if (!this.stop.signal.aborted) this.standing.value = { state: "failed", error, at: Date.now() };
    }
    this.busy = false;
    this.reading.value = false;
    this.restUntil = Date.now() + Math.max(restAtLeast, restTimes * (Date.now() - began));
    if (this.dirty && !this.stop.signal.aborted) this.again();
  }
}

/** countOf is how many there are of a state, as far as it is known; more says that there are others. */
export function countOf(known: Known, state: State, filter: Filter): { n: number; more: boolean } | null {
  const list = known.lists[state];
  const unfiltered = !filter.c && !filter.by;
  if (state === "open" && unfiltered) return { n: known.open, more: false };
  if (!list.read) return null;
  return { n: list.rows.length, more: list.next !== null };
}
