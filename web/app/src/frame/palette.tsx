import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { dataNodes, viewed } from "../live/members.ts";
import { go, screens, to } from "./route.ts";
import { turn } from "./theme.ts";

const shown = signal(false);

/** openPalette shows the list of all places and commands. */
export const openPalette = (): void => void (shown.value = true);

interface Entry {
  name: string;
  run: () => void;
}

/** entriesFor are the places and commands that fit what was typed. `collection/id` opens a document. */
function entriesFor(typed: string): Entry[] {
  const all: Entry[] = [
    ...screens.map((s) => ({ name: `Go to ${s.title}`, run: () => go(to(s.name)) })),
    ...dataNodes.value.map((m) => ({ name: `View node ${m.name}`, run: () => void (viewed.value = m.name) })),
    { name: "Change the colours", run: turn },
  ];
  const words = typed.toLowerCase().split(/\s+/);
  const fitting = all.filter((e) => words.every((w) => e.name.toLowerCase().includes(w)));
  const [collection, ...id] = typed.trim().split("/");
  if (collection && id.length > 0 && id[0]) {
    fitting.unshift({ name: `Open document ${typed.trim()}`, run: () => go(to("data", [collection, id.join("/")])) });
  }
  return fitting;
}

/** Palette is opened by Ctrl-K. */
export function Palette() {
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
        e.preventDefault();
        shown.value = !shown.value;
      }
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  return shown.value ? <Opened /> : null;
}

function Opened() {
  const box = useRef<HTMLDialogElement>(null);
  const [typed, type] = useState("");
  const [at, move] = useState(0);
  const entries = entriesFor(typed);
  useLayoutEffect(() => box.current?.showModal(), []); // at once: who types fast loses no letter
  const close = () => void (shown.value = false);
  const run = (e: Entry | undefined) => {
    close();
    e?.run();
  };
  return (
    <dialog ref={box} class="palette" aria-label="Go anywhere" onClose={close}>
      <input
        type="text"
        aria-label="Type a place, a node, or collection/id"
        placeholder="a place, a node, or collection/id"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-entries"
        aria-activedescendant={`palette-${at}`}
        value={typed}
        onInput={(e) => {
          type(e.currentTarget.value);
          move(0);
        }}
        onKeyDown={(e) => {
          if (e.key === "ArrowDown") move(Math.min(entries.length - 1, at + 1));
          else if (e.key === "ArrowUp") move(Math.max(0, at - 1));
          else if (e.key === "Enter") run(entries[at]);
          else return;
          e.preventDefault();
        }}
      />
      <ul id="palette-entries" role="listbox" aria-label="Places and commands">
        {entries.map((e, i) => (
          <li id={`palette-${i}`} role="option" aria-selected={i === at} onClick={() => run(e)}>
            {e.name}
          </li>
        ))}
      </ul>
    </dialog>
  );
}
