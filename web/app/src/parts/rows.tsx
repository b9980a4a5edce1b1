import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** spare is how many rows are drawn above and below what is seen. */
const spare = 10;
/** mostRows is how many rows there are in the page at most, however tall the window. */
const mostRows = 150;

/** Rows draws a long list, and of it only what is seen. All rows have one height, in pixels. */
export function Rows<T>(props: {
  label: string;
  items: readonly T[];
  height: number;
  row: (item: T, index: number) => ComponentChildren;
  /** Called when the end is near, to ask for more; undefined while nothing can be asked: it is called once it is there again. */
  nearEnd?: (() => void) | undefined;
  /** The row that must be in sight, for those who use the keyboard. */
  focus?: number;
}) {
  const { items, height } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [tall, setTall] = useState(600);
  useEffect(() => {
    const b = box.current;
    if (!b) return;
    const watch = new ResizeObserver(() => setTall(b.clientHeight));
    watch.observe(b);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const b = box.current;
    if (!b || props.focus === undefined || props.focus < 0) return;
    const at = props.focus * height;
    if (at < b.scrollTop) b.scrollTop = at;
    else if (at + height > b.scrollTop + b.clientHeight) b.scrollTop = at + height - b.clientHeight;
  }, [props.focus]);
  const first = Math.max(0, Math.floor(top / height) - spare);
  const seen = Math.min(mostRows, Math.ceil(tall / height) + 2 * spare);
  const last = Math.min(items.length, first + seen);
  const askable = props.nearEnd !== undefined;
  useEffect(() => {
    if (last >= items.length - spare) props.nearEnd?.();
  }, [last, items.length, askable]);
  return (
    <div ref={box} class="rows" role="list" aria-label={props.label} tabIndex={0} onScroll={(e) => setTop(e.currentTarget.scrollTop)}>
      <div class="rows-all" style={{ height: `${items.length * height}px` }}>
        {items.slice(first, last).map((item, i) => (
          <div
            key={first + i}
            class="rows-one"
            role="listitem"
            aria-setsize={items.length}
            aria-posinset={first + i + 1}
            style={{ top: `${(first + i) * height}px`, height: `${height}px` }}
          >
            {props.row(item, first + i)}
          </div>
        ))}
      </div>
    </div>
  );
}
