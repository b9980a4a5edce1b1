import { effect } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { members } from "./members.ts";

/**
 * useMoments counts the moments at which it is time to ask anew: events of some
 * kinds at any process, and processes that come and go, but at most one in
 * `every` milliseconds.
 */
export function useMoments(kinds: readonly string[], every: number): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    let timer = 0;
    let first = true;
    const ring = () => {
      timer ||= window.setTimeout(() => {
        timer = 0;
        setCount((n) => n + 1);
      }, every);
    };
    const stops = members.value.map(({ feed }) => {
      let was = feed?.connection.peek().state;
      return effect(() => {
        const kind = feed?.latest.value?.event ?? "";
        const is = feed?.connection.value.state;
        if (!first && (kinds.includes(kind) || is !== was)) ring();
        was = is;
      });
    });
    first = false;
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, [members.value, kinds.join(), every]);
  return count;
}
