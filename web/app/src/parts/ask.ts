import { computed, useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { told, viewedMember } from "../live/members.ts";

/** heard says whether the node viewed tells its state. It is computed apart, so that a screen is not drawn for each event. */
export const heard = computed(() => viewedMember.value !== undefined && told(viewedMember.value) !== null);

/** Answer is what a screen asked for: on its way, here, or failed. What failed is never shown as what was here before. */
export type Answer<T> =
  | { state: "asking" }
  | { state: "here"; value: T; at: number; renewing: boolean }
  | { state: "failed"; error: unknown; at: number };

/**
 * useAsk asks when the component comes and whenever one of `on` changes, and
 * gives up on an answer that nobody waits for any more. again() asks anew and
 * keeps what is shown until the answer is here.
 */
export function useAsk<T>(question: (signal: AbortSignal) => Promise<T>, on: readonly unknown[]): { answer: Answer<T>; again: () => void } {
  const answer = useSignal<Answer<T>>({ state: "asking" });
  const round = useSignal(0);
  const asking = useRef<AbortController | null>(null);
  const again = useCallback(() => {
    asking.current?.abort(); // at once: what it would say is older than what made somebody ask again
    if (answer.value.state === "here") answer.value = { ...answer.value, renewing: true };
    round.value++;
  }, []);
  // Once a node that was not heard is heard again, what failed is asked again.
  useEffect(() => {
    if (heard.value && answer.value.state === "failed") again();
  }, [heard.value]);
  // What was asked of something else is not an answer to this.
  useEffect(() => () => void (answer.value = { state: "asking" }), on);
  useEffect(() => {
    const stop = new AbortController();
    asking.current = stop;
    question(stop.signal).then(
      (value) => {
        if (!stop.signal.aborted) answer.value = { state: "here", value, at: Date.now(), renewing: false };
      },
      (error: unknown) => {
        if (!stop.signal.aborted) answer.value = { state: "failed", error, at: Date.now() };
      },
    );
    return () => stop.abort();
  }, [...on, round.value]);
  return { answer: answer.value, again };
}
