import { useRef, useState } from "preact/hooks";

/**
 * useWritten keeps what a write has just made, as its answer says, until what is stored has been read again: a form
 * shows that, and a change begins with it, so that nobody has to wait before they type on.
 */
export function useWritten<Draft>(stored: unknown): { known: Draft | null; wrote: (begin: Draft) => void } {
  const [last, setLast] = useState<{ over: unknown; begin: Draft } | null>(null);
  const latest = useRef(stored); // at the answer, which may be another than at the press of the button
  latest.current = stored;
  return { known: last && last.over === stored ? last.begin : null, wrote: (begin) => setLast({ over: latest.current, begin }) };
}
