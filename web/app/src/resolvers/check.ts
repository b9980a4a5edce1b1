import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { send } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import { checked, type Checked } from "./shapes.ts";

/** typingPause is how long nothing is typed before a source is checked, in milliseconds. */
const typingPause = 400;

/** Checking is what is known of the source as it stands now. What was known of another one is not shown. */
export type Checking = { state: "checking" } | { state: "here"; value: Checked; source: string } | { state: "failed"; error: unknown; at: number };

/** checkCall tries a source without storing it; conflict is one to ask it about, or its id. */
export const checkCall = (base: string, name: string, source: string, conflict: unknown = null) => ({
  base,
  method: "POST" as const,
  path: "/v1/resolvers/check",
  body: { name, source, conflict },
});

/** useCheck has the node check a source once nothing more is typed. */
export function useCheck(base: string, name: string, source: string): { checking: Checking; again: () => void } {
  const checking = useSignal<Checking>({ state: "checking" });
  const round = useSignal(0);
  useEffect(() => {
    const stop = new AbortController();
    checking.value = { state: "checking" };
    const timer = setTimeout(async () => {
      try {
        const reply = await send(checkCall(base, name, source), stop.signal);
        checking.value = { state: "here", value: checked(parse(reply.text), ""), source };
      } catch (error) {
        if (!stop.signal.aborted) checking.value = { state: "failed", error, at: Date.now() };
      }
    }, typingPause);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [base, name, source, round.value]);
  return { checking: checking.value, again: () => void round.value++ };
}
