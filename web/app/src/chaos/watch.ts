import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Refused, Silent } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import { messages } from "../api/stream.ts";
import { run, step, type Run, type StepOf } from "./shapes.ts";

/** A stream of a run says something at least every 15 s; after so many milliseconds of nothing it is lost. */
const silentAfter = 20_000;
/** The pause before a lost stream is tried again, in milliseconds. */
const again = 1_000;
/** maxSteps is how many steps of a run the page keeps, the newest. */
const maxSteps = 1_000;
/** Steps that come at once are shown together, so often at most, in milliseconds. */
const drawEvery = 100;

/** Watched is a run as far as it has been told. */
export interface Watched {
  steps: StepOf[];
  run: Run | null; // once it has ended
  lost: { since: number; why: string } | null; // its stream
  refused: unknown; // why there is nothing to watch
}

/** useRun follows a run to its end. What was told stays when the stream is lost, and says that it is not the end. */
export function useRun(base: string, id: string): Watched {
  const state = useSignal<Watched>({ steps: [], run: null, lost: null, refused: null });
  useEffect(() => {
    const stop = new AbortController();
    void follow(base, id, state, stop.signal);
    return () => stop.abort();
  }, [base, id]);
  return state.value;
}

async function follow(base: string, id: string, state: Signal<Watched>, stop: AbortSignal): Promise<void> {
  let last = "";
  let waiting: StepOf[] = [];
  let timer = 0;
  const show = () => {
    timer = 0;
    state.value = { ...state.value, lost: null, steps: [...state.value.steps, ...waiting].slice(-maxSteps) };
    waiting = [];
  };
  while (!stop.aborted) {
    try {
      for await (const message of messages({ base, path: `/v1/chaos/runs/${id}?feed=sse`, after: last, silentAfter, signal: stop })) {
        if (message.event === "run") {
          clearTimeout(timer);
          show();
          state.value = { ...state.value, run: run(parse(message.data), "") };
          return;
        }
        if (message.event !== "step") continue;
        last = message.id;
        waiting.push(step(parse(message.data), ""));
        timer ||= window.setTimeout(show, drawEvery);
      }
      lose("the node ended the stream");
    } catch (error) {
      if (stop.aborted) return;
      if (error instanceof Refused) {
        state.value = { ...state.value, refused: error };
        return;
      }
      lose(error instanceof Silent ? error.why : String(error));
    }
    await new Promise((done) => setTimeout(done, again));
  }
  function lose(why: string): void {
    state.value = { ...state.value, lost: state.value.lost ?? { since: Date.now(), why } };
  }
}
