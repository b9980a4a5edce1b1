import { useEffect } from "preact/hooks";

/**
 * useEvery does something when the component comes, whenever one of `on`
 * changes, and again so many milliseconds after each time, while somebody
 * looks. One run ends before the next begins, so that no older answer comes
 * after a newer one.
 */
export function useEvery(ms: number, run: (signal: AbortSignal) => Promise<void>, on: readonly unknown[]): void {
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = async () => {
      if (!document.hidden) await run(stop.signal);
      if (!stop.signal.aborted) timer = setTimeout(() => void again(), ms);
    };
    void again();
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, on);
}
