import { batch, signal, type Signal } from "@preact/signals";
import { Silent } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import { messages } from "../api/stream.ts";
import { meet, type Hall } from "./share.ts";
import { begin, event, next, type Event, type Told } from "./told.ts";

/** A node tells figures at least every second; after so many milliseconds without any, it is silent. */
const silentAfter = 3_000;
/** A tab that hears a stream through another tab waits a little longer. */
const hearsaySilentAfter = 5_000;
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
  | { kind: "event"; event: Event }
  | { kind: "lost"; why: string; since: number };

/** Feed is the stream of one process: what it says of itself while it is heard, and nothing once it is not. */
export class Feed {
  readonly told: Signal<Told | null> = signal(null);
  readonly connection: Signal<Connection> = signal({ state: "connecting", since: Date.now() });
  /** The newest event, for those who count or draw them. */
  readonly latest: Signal<Event | null> = signal(null);

  private readonly hall: Hall<Piece>;
  private readonly stop = new AbortController();
  private reads = false; // this tab reads the stream itself
  private watchdog = 0;

  constructor(readonly base: string) {
    this.hall = meet<Piece>(`syncline ${base}`, (piece) => this.hear(piece));
    this.hall.tell({ kind: "hello" });
    this.hall.whenMine(() => this.read());
  }

  /** close ends the stream, for a process that has left the roster. */
  close(): void {
    this.stop.abort();
    clearTimeout(this.watchdog);
  }

  /** read follows the stream for as long as the tab is open. */
  private async read(): Promise<void> {
    this.reads = true;
    clearTimeout(this.watchdog);
    let last = "";
    for (let failures = 0; !this.stop.signal.aborted; failures++) {
      try {
        const reading = { url: `${this.base}/v1/events`, after: this.told.value ? last : "", silentAfter, signal: this.stop.signal };
        for await (const message of messages(reading)) {
          failures = 0;
          if (message.id) last = message.id;
          const e = event(parse(message.data), "");
          this.hall.tell({ kind: "event", event: e });
          this.take(e);
        }
        this.lose("it ended the stream: it is being stopped");
      } catch (error) {
        if (this.stop.signal.aborted) return;
        this.lose(error instanceof Silent ? error.why : String(error));
      }
      await pause(pauses[Math.min(failures, pauses.length - 1)] ?? 0);
    }
  }

  private take(e: Event): void {
    batch(() => {
      if (e.event === "state") {
        this.told.value = begin(e.data);
      } else if (this.told.value) {
        this.told.value = next(this.told.value, e);
      }
      this.latest.value = e;
      if (this.told.value && this.connection.value.state !== "live") {
        this.connection.value = { state: "live", since: Date.now() };
      }
    });
  }

  /** lose drops what was told: a page must not show what was as what is. */
  private lose(why: string): void {
    const since = this.connection.value.state === "lost" ? this.connection.value.since : Date.now();
    if (this.reads) this.hall.tell({ kind: "lost", why, since });
    batch(() => {
      this.told.value = null;
      this.connection.value = { state: "lost", since, why };
    });
  }

  private hear(piece: Piece): void {
    if (this.reads) {
      if (piece.kind === "hello" && this.told.value) this.hall.tell({ kind: "told", told: this.told.value });
      return;
    }
    if (piece.kind === "hello") return;
    clearTimeout(this.watchdog);
    this.watchdog = window.setTimeout(() => this.lose("the tab that reads its stream is silent"), hearsaySilentAfter);
    if (piece.kind === "event") {
      this.take(piece.event);
    } else if (piece.kind === "told") {
      batch(() => {
        this.told.value = piece.told;
        this.connection.value = { state: "live", since: Date.now() };
      });
    } else {
      batch(() => {
        this.told.value = null;
        this.connection.value = { state: "lost", since: piece.since, why: piece.why };
      });
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
