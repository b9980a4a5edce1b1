import { to } from "../frame/route.ts";
import { dataNodes, told, viewed } from "../live/members.ts";
import { countOf, type Filter, type Known, type State, states } from "./inbox.ts";

const titles: Record<State, string> = { open: "Open", settled: "Settled", reviewed: "Reviewed" };

/** Tabs are the three states, with how many there are as far as that is known. */
export function Tabs({ state, filter, known }: { state: State; filter: Filter; known: Known | null }) {
  return (
    <div class="conflicts-tabs">
      <nav aria-label="States of conflicts">
        {states.map((s) => (
          <a href={to("conflicts", [], { tab: s, c: filter.c, by: s === "open" ? "" : filter.by })} aria-current={s === state ? "page" : undefined}>
            {titles[s]} <span class="muted">{known ? countWords(known, s, filter) : "…"}</span>
          </a>
        ))}
      </nav>
      <Hearsay />
    </div>
  );
}

function countWords(known: Known, state: State, filter: Filter): string {
  const count = countOf(known, state, filter);
  return count === null ? "" : `${count.n.toLocaleString("en")}${count.more ? " or more" : ""}`;
}

/** Hearsay is what the other nodes say for themselves, where it is another number. */
function Hearsay() {
  const here = dataNodes.value.find((m) => m.name === viewed.value);
  const own = here && told(here)?.node?.conflicts.open;
  const others = dataNodes.value.filter((m) => m.name !== viewed.value);
  const said = others.flatMap((m) => {
    const n = told(m)?.node?.conflicts.open;
    if (n === undefined) return `${m.name} does not say what is in conflict there`;
    return n === own ? [] : `${m.name} says ${n} open`;
  });
  return said.length > 0 ? <p class="warn">{said.join("; ")}</p> : null;
}
