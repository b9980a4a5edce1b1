import { useRef } from "preact/hooks";

/**
 * useWritten keeps what a write has just made, as its answer says, while what is stored is being read again: a form
 * shows that, and a change begins with it, so that nobody has to wait before they type on. Who calls wrote asks again
 * in the same breath.
 */
export function useWritten<Draft>(renewing: boolean): { known: Draft | null; wrote: (begin: Draft) => void } {
  const last = useRef<Draft | null>(null);
  if (!renewing) last.current = null;
  return { known: last.current, wrote: (begin) => void (last.current = begin) };
}
