import { useState } from "preact/hooks";
import { send } from "../api/call.ts";
import { healLink } from "../frame/heal.tsx";
import { connection, members, type Member } from "../live/members.ts";
import { Twins } from "../parts/act.tsx";
import { Left } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { forbidden } from "../api/credential.ts";
import { lasts } from "./duration.tsx";
import { cutCalls, cutCommand, kindWords, linkOf, onWay } from "./links.ts";

interface At {
  from: Member;
  to: Member;
}

/** action is what a press of a cell does. */
function action({ from, to }: At) {
  const cut = onWay(from.name, to.name).find((h) => h.fault.kind === "cut");
  if (cut) return { cut, ...healLink(from.name, to.name, false) };
  return { cut: null, calls: cutCalls(from, to, lasts.value), command: cutCommand(from, to, lasts.value) };
}

/** Grid cuts: what goes from a row to a column, each cell one direction. */
export function Grid() {
  const [at, go] = useState<At | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState("");
  const press = async (cell: At) => {
    setBusy(`${cell.from.name} ${cell.to.name}`);
    setError(null);
    try {
      await Promise.all(action(cell).calls.map((call) => send(call)));
    } catch (e) {
      setError(e);
    } finally {
      setBusy("");
    }
  };
  const all = members.value;
  const chosen = at && action(at);
  return (
    <>
      <div class="scroll">
        <table class="chaos-grid" onKeyDown={arrows}>
          <caption class="muted">What goes from a row to a column. A press cuts that direction on both ends, or heals it. The arrow keys move.</caption>
          <thead>
            <tr>
              <th scope="col">from \ to</th>
              {all.map((to) => (
                <th scope="col">{to.name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.map((from) => (
              <tr>
                <th scope="row">{from.name}</th>
                {all.map((to) => (
                  <td>{from === to ? <span class="muted">–</span> : <Cell at={{ from, to }} busy={busy !== ""} press={press} go={go} />}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {at && chosen && (
        <p class="act">
          <span>
            {at.from.name} → {at.to.name}: a press {chosen.cut ? "heals" : `cuts it for ${lasts.value}`}
            {chosen.cut?.fault.both && ", in both directions, as it was cut"}
          </span>
          <Twins calls={chosen.calls} command={chosen.command} />
        </p>
      )}
      {error !== null && <Failed error={error} />}
    </>
  );
}

function Cell({ at, busy, press, go }: { at: At; busy: boolean; press: (at: At) => Promise<void>; go: (at: At) => void }) {
  const { cut, calls, command } = action(at);
  const others = onWay(at.from.name, at.to.name).filter((h) => h.fault.kind !== "cut");
  const lacks = whyNot(at, calls.length);
  return (
    <button
      type="button"
      class={cut ? "chaos-cell cut" : "chaos-cell"}
      aria-pressed={cut !== null}
      title={lacks || command}
      disabled={lacks !== ""}
      aria-busy={busy}
      onFocus={() => go(at)}
      onClick={() => {
        if (!busy) void press(at);
      }}
    >
      <span class="hidden">
        {at.from.name} to {at.to.name}:{" "}
      </span>
      {cut ? (
        <>
          ✂ cut <Left until={cut.fault.expires} />
        </>
      ) : (
        <Whole at={at} />
      )}
      {others.map((h) => (
        <span class="warn"> {kindWords(h.fault)}</span>
      ))}
    </button>
  );
}

/** whyNot is why a cell cannot be pressed, or "". */
function whyNot({ from, to }: At, calls: number): string {
  if (forbidden.value.has("chaos")) return "your token lacks the scope chaos";
  const soon = [from, to].find((m) => connection(m).state === "connecting");
  if (soon) return `connecting to ${soon.name} …`;
  return calls === 0 ? "neither end is reached, or takes faults" : "";
}

/** Whole is a direction that chaos does not cut, as the process that receives knows it. */
function Whole({ at }: { at: At }) {
  const link = linkOf(at.from, at.to);
  if (!link) return <span class="muted">? unknown</span>;
  if (link.state === "up") return <>{link.round_trip_ms === null ? "up" : `up ${link.round_trip_ms.toFixed(1)} ms`}</>;
  return <span class="warn">{link.state === "cut" ? "silent" : "? unknown"}</span>;
}

/** arrows move from cell to cell. */
function arrows(e: KeyboardEvent): void {
  const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[e.key];
  const cell = e.target instanceof Element ? e.target.closest("td") : null;
  const row = cell?.closest("tr");
  const body = row?.closest("tbody");
  if (!step || !cell || !row || !body) return;
  e.preventDefault();
  const [down = 0, right = 0] = step;
  // Over the cell of a node with itself, where nothing is to press, and on.
  for (let i = 1; i < body.rows.length + 1; i++) {
    const next = body.rows[row.sectionRowIndex + i * down]?.cells[cell.cellIndex + i * right]?.querySelector("button");
    if (next) return next.focus();
  }
}
