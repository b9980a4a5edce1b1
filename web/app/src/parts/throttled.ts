import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

/**
 * useThrottled is what a question over signals answers, told anew at most once
 * in `every` milliseconds: the first change at once, what follows together. For
 * what is drawn as a whole, however many events a second alter a part of it.
 */
export function useThrottled<T>(question: () => T, every: number): ReadonlySignal<T> {
  const { is, shown } = useMemo(() => {
    const is = computed(question);
    return { is, shown: signal(is.peek()) };
  }, []);
  useEffect(() => {
    let last = 0;
    let timer = 0;
    const show = () => {
      timer = 0;
      last = Date.now();
      shown.value = is.peek();
    };
    const stop = effect(() => {
      void is.value;
      if (!timer) timer = window.setTimeout(show, Math.max(0, last + every - Date.now()));
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  return shown;
}
