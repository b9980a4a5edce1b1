import { cluster, connection, dataNodes, holders, openConflicts, stateOf, told, unreachable, viewed, viewedMember } from "../live/members.ts";
import { Sign } from "../parts/sign.tsx";
import { Ago } from "../parts/time.tsx";
import { count } from "../parts/text.tsx";
import { writeWords } from "../parts/writing.tsx";
import { openPalette } from "./palette.tsx";
import { to } from "./route.ts";
import { theme, turn } from "./theme.ts";

/** Header says which node is viewed, whether it takes writes, who has the vote, and how many conflicts are open. */
export function Header() {
  return (
    <header class="header">
      <a class="brand" href={to("cluster")}>
        Syncline
      </a>
      <span class="muted">{cluster.value?.cluster}</span>
      <Viewing />
      <Vote />
      <OpenConflicts />
      <span class="spring" />
      <button type="button" class="quiet" onClick={openPalette} title="Go anywhere by keyboard">
        Search <kbd>Ctrl K</kbd>
      </button>
      <button type="button" class="quiet" onClick={turn} title="Change the colours">
        {theme.value}
      </button>
    </header>
  );
}

function Viewing() {
  const m = viewedMember.value;
  if (!m) return <span class="muted">{unreachable.value ? "not connected" : "connecting …"}</span>;
  const write = told(m)?.node?.write;
  const c = connection(m);
  return (
    <span class="viewing">
      <label>
        viewing{" "}
        <select value={viewed.value} onChange={(e) => (viewed.value = e.currentTarget.value)}>
          {dataNodes.value.map((d) => (
            <option value={d.name}>{d.name}</option>
          ))}
        </select>
      </label>{" "}
      <Sign state={stateOf(m)} word={write ? writeWords(write.state, write.cause) : c.state === "connecting" ? "connecting" : "not reached"} />
      {write?.since && write.state !== "writable" && (
        <span class="muted">
          {" "}
          since <Ago at={write.since} plain />
        </span>
      )}
      {c.state === "lost" && (
        <span class="muted">
          {" "}
          since <Ago at={c.since} plain />: {c.why}
        </span>
      )}
    </span>
  );
}

function Vote() {
  const names = holders.value;
  if (names === null) return <span class="muted">vote: unknown</span>;
  return <span>vote: {names.length ? names.join(" and ") : "nobody"}</span>;
}

function OpenConflicts() {
  const { count: n, silent } = openConflicts.value;
  if (n === null) return <span class="muted">conflicts: unknown</span>;
  return (
    <a href={to("conflicts")} class={n > 0 ? "badge" : "muted"}>
      {n > 0 && <Sign state="conflict" />} {count(n, "conflict")} open{silent.length > 0 && `, ${silent.join(", ")} unknown`}
    </a>
  );
}
