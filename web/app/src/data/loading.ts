import { batch, signal } from "@preact/signals";
import { Refused, segment, send, Silent } from "../api/call.ts";
import { parse, same } from "../api/exact.ts";
import { lines as linesOf } from "../api/lines.ts";
import { type Line } from "./batch.ts";
import { result, type Result } from "./shapes.ts";

/** pieceLines and pieceBytes bound one request, in lines and in characters. */
const pieceLines = 500;
const pieceBytes = 1_000_000;
/** lookAtOnce is how many documents are looked at side by side. */
const lookAtOnce = 4;

export interface Counts {
  all: number;
  applied: number;
  refused: number;
  unknown: number;
  waiting: number;
}

/**
 * Loading is one import. It sends piece by piece and keeps for each line what
 * has come of it, so that one that fails half way goes on where it stopped and
 * nothing is sent twice without a look.
 */
export class Loading {
  readonly state = signal<"ready" | "running" | "stopped" | "done">("ready");
  readonly counts = signal<Counts>({ all: 0, applied: 0, refused: 0, unknown: 0, waiting: 0 });
  /** What stopped it; null when a person did. */
  readonly error = signal<unknown>(null);
  readonly stoppedAt = signal(0);
  private stop = new AbortController();
  private from = 0; // all lines before it are settled

  constructor(
    readonly collection: string,
    readonly name: string, // of the file
    readonly lines: Line[],
  ) {
    this.count();
  }

  /** first is the first line that was not applied and could be. */
  first(): Line | undefined {
    return this.lines.find((l) => l.state === "waiting" || l.state === "unknown");
  }

  /** halt stops after the piece that is under way is given up: what it did is looked at when it goes on. */
  halt(): void {
    this.stop.abort();
  }

  /** run sends what waits, after a look at what became of lines whose answer was lost. */
  async run(base: string): Promise<void> {
    this.stop = new AbortController();
    this.from = 0;
    batch(() => {
      this.state.value = "running";
      this.error.value = null;
    });
    try {
      await this.look(base);
      for (let piece = this.piece(); piece.length > 0; piece = this.piece()) {
        await this.send(base, piece);
        this.count();
        this.stop.signal.throwIfAborted();
      }
      this.state.value = "done";
    } catch (error) {
      batch(() => {
        this.state.value = "stopped";
        this.stoppedAt.value = Date.now();
        this.error.value = this.stop.signal.aborted ? null : error;
      });
    }
    this.count();
  }

  /** look asks for each document whose answer was lost whether it is as it was to be. */
  private async look(base: string): Promise<void> {
    const last = new Map(this.lines.filter((l) => l.state !== "refused").map((l) => [l.id, l]));
    const lost: Line[] = [];
    for (const line of this.lines.filter((l) => l.state === "unknown")) {
      if (last.get(line.id) === line) lost.push(line);
      else settle(line, "applied", "or not: a later line of the file has the same id");
    }
    for (let i = 0; i < lost.length; i += lookAtOnce) {
      await Promise.all(lost.slice(i, i + lookAtOnce).map((line) => this.lookAt(base, line)));
      this.count();
    }
  }

  private async lookAt(base: string, line: Line): Promise<void> {
    let shown = "";
    try {
      shown = (await send({ base, method: "GET", path: `/v1/docs/${this.collection}/${segment(line.id)}` }, this.stop.signal)).text;
    } catch (error) {
      if (!(error instanceof Refused && error.problem.status === 404)) throw error;
    }
    const there = line.doc ? shown !== "" && same(parse(shown), parse(line.doc)) : shown === "";
    settle(line, there ? "applied" : "waiting", "");
  }

  private piece(): Line[] {
    const piece: Line[] = [];
    let size = 0;
    while (this.lines[this.from] && this.lines[this.from]?.state !== "waiting") this.from++;
    for (const line of this.lines.slice(this.from, this.from + pieceLines)) {
      if (line.state !== "waiting") continue;
      if (piece.length > 0 && size + line.body.length > pieceBytes) break;
      piece.push(line);
      size += line.body.length;
    }
    return piece;
  }

  private async send(base: string, piece: Line[]): Promise<void> {
    const body = piece.map((l) => `${l.body}\n`).join("");
    const call = { base, method: "POST" as const, path: `/v1/bulk/${this.collection}`, body, headers: { "Content-Type": "application/x-ndjson" } };
    let n = 0;
    let refusal: Result["problem"] = null;
    try {
      for await (const one of linesOf(call, result, this.stop.signal)) {
        if (one.done) return this.after(refusal);
        const line = piece[n++];
        if (line) refusal = outcome(line, one) ?? refusal;
      }
      throw new Silent(base, "the answer ended before its last line");
    } catch (error) {
      if (error instanceof Refused) throw error; // as a whole: nothing was applied
      const lost = piece.slice(n).filter((l) => l.state === "waiting");
      for (const line of lost) settle(line, "unknown", "no answer came for it");
      throw error;
    }
  }

  /** after stops when the node itself cannot take writes any more. */
  private after(refusal: Result["problem"]): void {
    if (refusal) throw new Halted(refusal.title, refusal.detail, refusal.code);
  }

  private count(): void {
    const counts: Counts = { all: this.lines.length, applied: 0, refused: 0, unknown: 0, waiting: 0 };
    for (const l of this.lines) counts[l.state]++;
    this.counts.value = counts;
  }
}

/** Halted is a node that answered for some lines that it takes no more. */
export class Halted extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
    readonly code: string,
  ) {
    super(detail);
    this.name = "Halted";
  }
}

/** committedAnyway are the codes of answers that say no, and that the write is durable where it was sent. */
const committedAnyway = new Set(["lease_lost", "not_replicated"]);

/** outcome notes what came of a line. It returns a problem that is the node's, not the line's: the line can go on waiting. */
function outcome(line: Line, { status, problem }: Result): Result["problem"] {
  if (!problem) settle(line, "applied", "");
  else if (committedAnyway.has(problem.code)) settle(line, "applied", problem.title);
  else if (problem.code === "unknown") settle(line, "unknown", problem.detail);
  else if (status >= 500) return problem;
  else settle(line, "refused", problem.detail);
  return null;
}

function settle(line: Line, state: Line["state"], why: string): void {
  line.state = state;
  line.why = why;
}
