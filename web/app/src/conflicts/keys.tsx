import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

const place = "syncline.conflicts.keys";

/** on says whether the keys count: who steers by voice can turn them off. */
const on = signal(localStorage.getItem(place) !== "off");

function turn(): void {
  on.value = !on.value;
  localStorage.setItem(place, on.value ? "on" : "off");
}

const keys = [
  ["j", "the next conflict"],
  ["k", "the one before"],
  ["Enter", "open it"],
  ["x", "select it"],
  ["Shift x", "select all from the last selected one to this"],
  ["Esc", "select nothing"],
  ["?", "this list"],
] as const;

/** KeysHelp lists the keys of the inbox. They count while nothing is typed into a field. */
export function KeysHelp({ close }: { close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class="conflicts-keys" aria-label="Keys of this screen" onClose={close}>
      <dl>
        {keys.map(([key, does]) => (
          <div>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label>
        <input type="checkbox" checked={on.value} onChange={turn} /> these keys count on this screen
      </label>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}

/** Handlers are what the keys do. */
export interface Handlers {
  move: (by: 1 | -1) => void;
  open: () => void;
  select: (range: boolean) => void;
  clear: () => void;
  help: () => void;
}

/** useKeys listens for the keys while the screen is shown. */
export function useKeys(handlers: Handlers): void {
  const now = useRef(handlers);
  now.current = handlers;
  // At once: who types fast loses no key.
  useLayoutEffect(() => {
    const press = (e: KeyboardEvent) => {
      const at = e.target instanceof Element ? e.target : document.body;
      if (!on.value || e.ctrlKey || e.metaKey || e.altKey || at.closest("input:not([type=checkbox]), textarea, select, dialog[open], .header, .menu")) return;
      const h = now.current;
      const onRow = at === document.body || at.matches(".rows, main");
      if (e.key === "j") h.move(1);
      else if (e.key === "k") h.move(-1);
      else if (e.key === "Enter" && onRow) h.open();
      else if (e.key.toLowerCase() === "x") h.select(e.shiftKey);
      else if (e.key === "Escape") h.clear();
      else if (e.key === "?") h.help();
      else return;
      e.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
