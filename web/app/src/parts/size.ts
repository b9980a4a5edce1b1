import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** useWidth is the width of an element in pixels, followed while it is shown. `first` is taken until it was measured. */
export function useWidth<E extends Element>(first: number): { box: RefObject<E | null>; width: number } {
  const box = useRef<E>(null);
  const [width, setWidth] = useState(first);
  useEffect(() => {
    const b = box.current;
    if (!b) return;
    const measure = () => setWidth(Math.max(1, Math.floor(b.clientWidth)));
    const watch = new ResizeObserver(measure);
    watch.observe(b);
    measure();
    return () => watch.disconnect();
  }, []);
  return { box, width };
}
