import { useLayoutEffect, useRef } from "preact/hooks";

/** Mark is a place in a source where something is wrong. */
export interface Mark {
  line: number;
  column: number;
  msg: string;
}

/** lineHeight of the editor, in pixels; the style has the same. */
const lineHeight = 20;
/** indent is one level of Starlark. */
const indent = "    ";

/** Source is an editor of a script: a text box beside numbered lines. Tab leaves it; Ctrl-] and Ctrl-[ indent. */
export function Source(props: { value: string; change: (value: string) => void; marks: Mark[]; goTo: Mark | null; readOnly?: boolean }) {
  const { value, marks, goTo } = props;
  const box = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const lines = value.split("\n").length;
  // At once, and not a frame later: who types on right after the click types there.
  useLayoutEffect(() => {
    const b = box.current;
    if (!b || !goTo) return;
    const at = offset(value, goTo.line, goTo.column);
    b.focus();
    b.setSelectionRange(at, at);
    b.scrollTop = (goTo.line - 4) * lineHeight;
  }, [goTo]);
  const key = (e: KeyboardEvent) => {
    const b = box.current;
    if (!b || !e.ctrlKey || (e.key !== "]" && e.key !== "[")) return;
    e.preventDefault();
    shift(b, e.key === "]");
    props.change(b.value);
  };
  return (
    <div class="resolvers-source">
      <div class="resolvers-gutter" aria-hidden="true">
        <div ref={gutter} class="resolvers-numbers">
          {Array.from({ length: lines }, (_, i) => i + 1).join("\n")}
          {marks.map((m) => (
            <span class="resolvers-mark" style={{ top: `${(m.line - 1) * lineHeight}px` }} title={m.msg}>
              ▸{m.line}
            </span>
          ))}
        </div>
      </div>
      <textarea
        ref={box}
        aria-label="Source"
        aria-describedby="resolvers-keys"
        aria-invalid={marks.length > 0}
        spellcheck={false}
        autocomplete="off"
        wrap="off"
        dir="ltr"
        rows={Math.max(12, Math.min(28, lines + 1))}
        readOnly={props.readOnly}
        value={value}
        onKeyDown={key}
        onInput={(e) => props.change(e.currentTarget.value)}
        onScroll={(e) => {
          if (gutter.current) gutter.current.style.transform = `translateY(${-e.currentTarget.scrollTop}px)`;
        }}
      />
      <p id="resolvers-keys" class="hidden">
        Tab leaves the editor. Control and right bracket indents, Control and left bracket takes an indent away.
      </p>
    </div>
  );
}

/** offset is where line:column is in a text, both from 1. */
function offset(text: string, line: number, column: number): number {
  const before = text.split("\n").slice(0, line - 1);
  return Math.min(text.length, before.reduce((n, l) => n + l.length + 1, 0) + Math.max(0, column - 1));
}

/** shift indents the selected lines, or takes an indent away. */
function shift(b: HTMLTextAreaElement, right: boolean): void {
  const start = b.value.lastIndexOf("\n", b.selectionStart - 1) + 1;
  const end = b.selectionEnd;
  const old = b.value.slice(start, end);
  const now = right ? old.replaceAll(/^/gm, indent) : old.replaceAll(/^ {1,4}/gm, "");
  b.setRangeText(now, start, end, "select");
}
