import { signal, type Signal } from "@preact/signals";
import { ask } from "../api/call.ts";
import { type Loss, lossOf } from "./loss.ts";
import { conflict, type Summary } from "./shapes.ts";

/** atOnce is how many conflicts are read at the same time for what was lost. */
const atOnce = 3;
/** kept is how many answers are kept. */
const kept = 500;
/** mostBytes is how long the documents of a conflict may be together, in bytes, to be read for one line of a list. */
const mostBytes = 128_000;
/** settles is how long a row must be in sight before it asks, in milliseconds: who scrolls by asks for nothing. */
const settles = 150;

export type Told = { state: "asking" } | { state: "here"; loss: Loss } | { state: "large" } | { state: "failed" };

/** Losses reads what was lost for the rows in sight, a few at a time. */
export class Losses {
  private readonly known = new Map<string, Signal<Told>>();
  private readonly waiting: { conflict: Summary; stop: AbortController; answer: Signal<Told> }[] = [];
  private readonly stop = new AbortController();
  private running = 0;

  constructor(private readonly base: string) {}

  close(): void {
    this.stop.abort();
    this.waiting.length = 0;
  }

  /** of is what a conflict has lost, as far as it was read. */
  of(c: Summary): Signal<Told> {
    const key = `${c.id} ${c.state}`;
    const is = this.known.get(key) ?? signal<Told>(size(c) > mostBytes ? { state: "large" } : { state: "asking" });
    this.known.delete(key); // to the end: the oldest goes first
    this.known.set(key, is);
    const [oldest] = this.known.keys();
    if (this.known.size > kept && oldest !== undefined) this.known.delete(oldest);
    return is;
  }

  /** want reads it, unless the row has gone out of sight by then; the function that comes back says that it has. */
  want(c: Summary): () => void {
    const answer = this.of(c);
    const stop = new AbortController();
    if (answer.value.state !== "asking") return () => {};
    const timer = setTimeout(() => {
      this.waiting.push({ conflict: c, stop, answer });
      this.next();
    }, settles);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }

  private next(): void {
    while (this.running < atOnce) {
      const one = this.waiting.shift();
      if (!one) return;
      if (!one.stop.signal.aborted) void this.read(one);
    }
  }

  private async read({ conflict: c, stop, answer }: (typeof this.waiting)[number]): Promise<void> {
    this.running++;
    try {
      const whole = await ask(this.base, `/v1/conflicts/${c.id}`, conflict, AbortSignal.any([stop.signal, this.stop.signal]));
      answer.value = { state: "here", loss: lossOf(whole) };
    } catch {
      // Out of sight, or changed meanwhile: the list is read again then. The screen of the conflict says more.
      if (!stop.signal.aborted) answer.value = { state: "failed" };
    }
    this.running--;
    this.next();
  }
}

const size = (c: Summary): number => c.siblings.reduce((n, s) => n + s.size, 0);
