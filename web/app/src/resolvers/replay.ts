import { signal } from "@preact/signals";
import { Silent } from "../api/call.ts";
import { lines } from "../api/lines.ts";
import { replayed, type Replayed } from "./shapes.ts";

/** outcomes are those of a dry run for one conflict. */
export const outcomes = ["same", "changed", "failed", "deferred", "unknown"] as const;

/** tellEvery is how often what has come is shown, in milliseconds. */
const tellEvery = 250;

/** What is replayed. */
export interface Question {
  source: string | null; // a candidate; null: what is stored
  collection: string; // "": all
  by: string; // "": whoever has ended it
  limit: number;
}

/** replayCall asks for a dry run. */
export const replayCall = (base: string, name: string, q: Question) => ({
  base,
  method: "POST" as const,
  path: `/v1/resolvers/${name}/dry-run`,
  body: {
    ...(q.source === null ? {} : { source: q.source }),
    filter: { ...(q.collection ? { c: q.collection } : {}), ...(q.by ? { by: q.by } : {}) },
    limit: q.limit,
  },
});

/** Replay is a dry run as far as it has come. */
export class Replay {
  readonly state = signal<"running" | "done" | "stopped" | "failed">("running");
  readonly lines = signal<readonly Replayed[]>([]);
  readonly error = signal<unknown>(null);
  readonly more = signal(false); // the limit was reached, and there are others
  private readonly stop = new AbortController();

  constructor(
    readonly base: string,
    readonly name: string,
    readonly question: Question,
  ) {}

  halt(): void {
    this.stop.abort();
  }

  async run(): Promise<void> {
    const got: Replayed[] = [];
    let told = performance.now();
    try {
      for await (const line of lines(replayCall(this.base, this.name, this.question), replayed, this.stop.signal)) {
        if (line.done) {
          this.more.value = line.more;
          this.state.value = "done";
          return;
        }
        got.push(line);
        if (performance.now() - told > tellEvery) {
          this.lines.value = [...got];
          told = performance.now();
        }
      }
      throw new Silent(this.base, "the answer ended before its last line");
    } catch (error) {
      this.error.value = this.stop.signal.aborted ? null : error;
      this.state.value = this.stop.signal.aborted ? "stopped" : "failed";
    } finally {
      this.lines.value = got;
    }
  }
}
