import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { Refused, Silent } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import { silence } from "../api/silence.ts";
import { messages } from "../api/stream.ts";
import { meet, type Hall } from "./share.ts";
import { begin, event, next, type Event, type Told } from "./told.ts";

/** A node tells figures at least every second; after so many milliseconds without any, it is silent. */
const silentAfter = 3_000;
/** A tab that hears a stream through another tab waits a little longer. */
const hearsaySilentAfter = 5_000;
/** At 200 events a second the page is drawn anew so often at most, in milliseconds between two times. */
const drawEvery = 100;
/** The pauses between tries to reach a node, in milliseconds; the last one again and again. */
const pauses = [100, 300, 1_000, 2_000];

/** Standing of the page's connection to one process. */
export type Connection =
  | { state: "connecting"; since: number }
  | { state: "live"; since: number }
  | { state: "lost"; since: number; why: string };

/** Piece is what the tab that reads a stream tells the others. */
type Piece =
  | { kind: "hello" } // a tab has come and asks for the state
  | { kind: "told"; told: Told }
  | { kind: "events"; events: Event[] }
  | { kind: "lost"; why: string; since: number };

/** Feed is the stream of one process: what it says of itself while it is heard, and nothing once it is not. */
export class Feed {
  readonly told: Signal<Told | null> = signal(null);
  readonly connection: Signal<Connection> = signal({ state: "connecting", since: Date.now() });
  /** The newest event. An effect on it sees every event; a component may miss some, and reads count instead. */
  readonly latest: Signal<Event | null> = signal(null);

  private readonly hall: Hall<Piece>;
  private readonly stop = new AbortController();
  private readonly counts = new Map<string, Signal<number>>();
  private reads = false; // this tab reads the stream itself
  /** It notices when the tab that reads is silent. */
  private readonly watchdog = silence(hearsaySilentAfter, () => this.lose("the tab that reads its stream is silent"));
  private waiting: Event[] = []; // heard, and not shown yet
  private shownAt = 0;
  private shower = 0;

  constructor(readonly base: string) {
    this.hall = meet<Piece>(`syncline ${base}`, (piece) => this.hear(piece));
    this.hall.tell({ kind: "hello" });
    this.hall.whenMine(() => this.read());
  }

  /** close ends the stream, for a process that has left the roster. */
  close(): void {
    this.stop.abort();
    this.watchdog.end();
    clearTimeout(this.shower);
    this.hall.leave();
  }

  /** count is how many events of a kind have come: who asks the API again when one comes, asks when it grows. */
  count(kind: string): ReadonlySignal<number> {
    const known = this.counts.get(kind);
    if (known) return known;
    const fresh = signal(0);
    this.counts.set(kind, fresh);
    return fresh;
  }

  /** read follows the stream for as long as the tab is open. */
  private async read(): Promise<void> {
    this.reads = true;
    this.watchdog.end();
    let last = "";
    for (let failures = 0; !this.stop.signal.aborted; failures++) {
      try {
        const reading = { base: this.base, after: this.told.value ? last : "", silentAfter, signal: this.stop.signal };
        for await (const message of messages(reading)) {
          failures = 0;
          if (message.id) last = message.id;
          this.take(event(parse(message.data), ""));
        }
        this.lose("it ended the stream: it is being stopped");
      } catch (error) {
        if (this.stop.signal.aborted) return;
        this.lose(whyOf(error));
      }
      await pause(pauses[Math.min(failures, pauses.length - 1)] ?? 0);
    }
  }

  /**
   * take shows an event soon. Where many come, they are shown together; a tab in
   * the background, whose timers stand still, shows them when the next one comes.
   */
  private take(e: Event): void {
    this.waiting.push(e);
    const wait = this.shownAt + drawEvery - performance.now();
    if (wait <= 0 || e.event === "state") this.show();
    else if (!this.shower) this.shower = window.setTimeout(() => this.show(), wait);
  }

  private show(): void {
    clearTimeout(this.shower);
    this.shower = 0;
    this.shownAt = performance.now();
    const events = this.waiting;
    this.waiting = [];
    if (events.length === 0) return;
    if (this.reads) this.hall.tell({ kind: "events", events });
    batch(() => {
      this.told.value = events.reduce<Told | null>((told, e) => (e.event === "state" ? begin(e.data) : told && next(told, e)), this.told.value);
      if (this.told.value && this.connection.value.state !== "live") {
        this.connection.value = { state: "live", since: Date.now() };
      }
      for (const e of events) {
        const counter = this.counts.get(e.event);
        if (counter) counter.value++;
      }
    });
    for (const e of events) this.latest.value = e;
  }

  /** lose drops what was told: a page must not show what was as what is. */
  private lose(why: string): void {
    const since = this.connection.value.state === "lost" ? this.connection.value.since : Date.now();
    if (this.reads) this.hall.tell({ kind: "lost", why, since });
    this.drop(why, since);
  }

  private drop(why: string, since: number): void {
    this.waiting = [];
    batch(() => {
      this.told.value = null;
      this.connection.value = { state: "lost", since, why };
    });
  }

  private hear(piece: Piece): void {
    if (this.reads) {
      if (piece.kind !== "hello" || !this.told.value) return;
      this.show();
      this.hall.tell({ kind: "told", told: this.told.value });
      return;
    }
    if (piece.kind === "hello") return;
    this.watchdog.heard();
    if (piece.kind === "events") {
      if (!this.told.value && !piece.events.some((e) => e.event === "state")) return this.hall.tell({ kind: "hello" });
      for (const e of piece.events) this.take(e);
    } else if (piece.kind === "told") {
      batch(() => {
        this.told.value = piece.told;
        this.connection.value = { state: "live", since: Date.now() };
      });
    } else {
      this.drop(piece.why, piece.since);
    }
  }
}

function whyOf(error: unknown): string {
  if (error instanceof Silent) return error.why;
  if (error instanceof Refused) return `it answers ${error.problem.status}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
