import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Json } from "../parts/text.tsx";
import { clockTime } from "../parts/time.tsx";
import { align, type Aligned, type Cell, type Column, deltaOf, type Line, markOf, sameCell } from "./align.ts";
import { signed } from "./decimal.ts";
import type { Conflict, Lost, Side } from "./shapes.ts";
import { lostWords } from "./loss.ts";
import { nodeOf } from "./spacetime.ts";

/** mostSides is how many versions stand beside each other before somebody asks for all. */
const mostSides = 6;
/** perPage is how many members are shown at once. */
const perPage = 100;
/** mostOfCell is how much of a value stands in a cell, in characters, before somebody asks for the rest. */
const mostOfCell = 200;

/** Head is a column of the comparison. */
interface Head {
  name: string; // "a", "base", "result"
  note: string;
  role: "base" | "side" | "shown" | "result";
  dot: string; // of a side
  column: Column;
}

type Take = (line: Line, cell: Cell) => void;

/** Compare is base | A | B | … | shown | result, aligned by JSON pointer. */
export function Compare(props: {
  conflict: Conflict;
  lost: readonly Lost[]; // of what is shown, or of the result
  result: Column; // what is written on the right, or what ended it
  take: Take | null; // null: nothing can be taken
}) {
  const { conflict: c } = props;
  const all = useSignal(false);
  const quiet = useSignal(false); // members too that are the same everywhere
  const page = useSignal(0);
  const sides = c.siblings.filter((s) => !s.hidden);
  const shown = all.value ? sides : sides.slice(0, mostSides);
  const heads = useMemo(() => headsOf(c, shown, props.result), [c, shown.length, props.result]);
  const compared = heads.flatMap((h, i) => (h.role === "base" || h.role === "side" ? i : []));
  const aligned = useMemo(() => align(heads.map((h) => h.column), compared), [heads]);
  const lost = useMemo(() => place(props.lost, aligned), [props.lost, aligned]);
  const differing = aligned.lines.filter((l) => l.differs || altered(l));
  const lines = quiet.value ? aligned.lines : differing;
  const from = Math.min(page.value, Math.floor(Math.max(0, lines.length - 1) / perPage)) * perPage;
  const same = aligned.lines.length - differing.length;
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="The versions beside each other">
        <table class="conflicts-compare">
          <caption class="hidden">The versions beside each other, by JSON pointer</caption>
          <thead>
            <tr>
              <th scope="col">path</th>
              {heads.map((h) => (
                <th scope="col">
                  {h.name} <span class="muted">{h.note}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.slice(from, from + perPage).map((line) => (
              <CompareLine key={line.pointer} conflict={c} heads={heads} line={line} lost={lost.get(line.pointer) ?? []} take={props.take} />
            ))}
          </tbody>
        </table>
      </div>
      <p class="conflicts-line">
        {!c.base_exact && (
          <span class="muted">
            {c.base === null ? "What was there before is not known" : "The base is not known for certain"}: so no differences are computed.
          </span>
        )}
        {lines.length === 0 && <span>The versions are the same in every member.</span>}
        {same > 0 && (
          <label>
            <input type="checkbox" checked={quiet.value} onChange={() => (quiet.value = !quiet.value)} /> also the {same} that are the same everywhere
          </label>
        )}
        {sides.length > mostSides && (
          <label>
            <input type="checkbox" checked={all.value} onChange={() => (all.value = !all.value)} /> all {sides.length} versions
          </label>
        )}
        {lines.length > perPage && <Pages from={from} of={lines.length} go={(n) => (page.value = n)} />}
        {aligned.more && <span class="warn">The documents are long: only their first {aligned.lines.length.toLocaleString("en")} members are compared.</span>}
      </p>
    </>
  );
}

function Pages({ from, of, go }: { from: number; of: number; go: (page: number) => void }) {
  const page = from / perPage;
  return (
    <span>
      <button type="button" disabled={from === 0} onClick={() => go(page - 1)}>
        Before
      </button>{" "}
      {from + 1}–{Math.min(of, from + perPage)} of {of.toLocaleString("en")}{" "}
      <button type="button" disabled={from + perPage >= of} onClick={() => go(page + 1)}>
        Next
      </button>
    </span>
  );
}

function headsOf(c: Conflict, sides: readonly Side[], result: Column): Head[] {
  const base: Head = { name: "base", note: c.base_exact ? "" : c.base === null ? "not known" : "not known for certain", role: "base", dot: "", column: { deleted: false, doc: c.base } };
  const open = c.state === "open";
  const shown: Head = {
    name: open ? "shown" : "was shown",
    note: c.policy.kind === "manual" ? "meanwhile, the newest" : `by ${c.policy.kind}`,
    role: "shown",
    dot: "",
    column: { deleted: c.shown?.deleted ?? false, doc: c.shown?.doc ?? null },
  };
  return [
    ...(c.base === null ? [] : [base]),
    ...sides.map((s): Head => ({ name: s.node, note: clockTime(s.time, 3), role: "side", dot: s.dot, column: { deleted: s.deleted, doc: s.doc } })),
    shown,
    { name: "result", note: open ? "to be written" : "", role: "result", dot: "", column: result },
  ];
}

/** altered says that the result has at a line what no version has there. */
function altered(line: Line): boolean {
  const result = line.cells.at(-1);
  return result !== undefined && line.cells.slice(0, -1).some((cell) => cell.is !== "unknown" && !sameCell(cell, result));
}

/** place puts what was lost at the line of its pointer, or at the first one within it: arrays are lost whole. */
function place(lost: readonly Lost[], { lines }: Aligned): Map<string, Lost[]> {
  const out = new Map<string, Lost[]>();
  for (const one of lost) {
    const line = lines.find((l) => l.pointer === one.path) ?? lines.find((l) => l.pointer.startsWith(`${one.path}/`));
    if (line) out.set(line.pointer, [...(out.get(line.pointer) ?? []), one]);
  }
  return out;
}

const words = { same: "= same", changed: "≠ changed", added: "+ added", removed: "− removed", deleted: "∅ deleted" };

/** CompareLine is one member in all columns, and what of it was lost. */
function CompareLine(props: { conflict: Conflict; heads: readonly Head[]; line: Line; lost: readonly Lost[]; take: Take | null }) {
  const { heads, line } = props;
  const base = heads[0]?.role === "base" ? line.cells[0] : undefined;
  const lost = props.lost.map((l) => {
    const cell = line.pointer === l.path ? line.cells[heads.findIndex((h) => h.dot === l.dot)] : undefined;
    return { of: nodeOf(l.dot), what: lostWords(l, cell, props.conflict.base_exact ? base : undefined) };
  });
  return (
    <tr>
      <th scope="row">
        <bdi class="json">{line.pointer || "all of it"}</bdi>
      </th>
      {line.cells.map((cell, i) => (
        <CompareCell conflict={props.conflict} line={line} cell={cell} head={heads[i]} base={base} lost={lost} take={props.take} />
      ))}
    </tr>
  );
}

function CompareCell(props: {
  conflict: Conflict;
  line: Line;
  cell: Cell;
  head: Head | undefined;
  base: Cell | undefined;
  lost: readonly { of: string; what: string }[];
  take: Take | null;
}) {
  const { cell, head, line, conflict: c } = props;
  if (!head) return null;
  const mark = head.role === "base" ? null : markOf(cell, props.base);
  // A difference from a base that is not certain would be a wrong sum.
  const delta = c.base_exact && head.role !== "base" ? deltaOf(cell, props.base) : null;
  const takes = props.take && head.role !== "result" && cell.is !== "unknown" && cell.is !== "deleted" ? props.take : null;
  const ends = head.role === (c.state === "open" ? "shown" : "result");
  return (
    <td class={`conflicts-cell ${mark ?? ""} ${head.role}`} onClick={(e) => e.target === e.currentTarget && takes?.(line, cell)}>
      <CellValue cell={cell} /> {delta && <strong>({signed(delta)})</strong>} {mark && mark !== "same" && <span class="conflicts-mark">{words[mark]}</span>}
      {mark === "same" && <span class="muted">{words.same}</span>}
      {ends &&
        props.lost.map(
          (l) =>
            l.what && (
              <bdi class="conflicts-lost">
                {l.of}’s {l.what} {c.state === "open" ? "not shown" : "lost"}
              </bdi>
            ),
        )}
      {takes && (
        <button type="button" class="link" aria-label={`take ${line.pointer || "all"} of ${head.name} into the result`} onClick={() => takes(line, cell)}>
          take
        </button>
      )}
    </td>
  );
}

function CellValue({ cell }: { cell: Cell }) {
  if (cell.is === "value") return <Json value={cell.value} most={mostOfCell} />;
  return <span class="muted">{cell.is === "deleted" ? "deleted" : cell.is === "absent" ? "absent" : "not known here"}</span>;
}
