import { to } from "../frame/route.ts";
import { connection, dataNodes, told, viewedMember } from "../live/members.ts";
import { Ago } from "../parts/time.tsx";
import { countOf, type Filter, type Known, type State, states } from "./inbox.ts";

const titles: Record<State, string> = { open: "Open", settled: "Settled", reviewed: "Reviewed" };

/** Tabs are the three states, with how many there are as far as that is known. */
export function Tabs({ state, filter, known }: { state: State; filter: Filter; known: Known | null | "failed" }) {
  return (
    <div class="conflicts-tabs">
      <nav aria-label="States of conflicts">
        {states.map((s) => (
          <a href={to("conflicts", [], { tab: s, c: filter.c, by: s === "open" ? "" : filter.by })} aria-current={s === state ? "page" : undefined}>
            {titles[s]} <span class="muted">{known === "failed" ? "unknown" : known ? countWords(known, s, filter) : "…"}</span>
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

/** Hearsay is what the other nodes say for themselves, where it is another number, or that they say nothing. */
function Hearsay() {
  const here = viewedMember.value;
  const own = here && told(here)?.node?.conflicts.open;
  const others = dataNodes.value.filter((m) => m !== here);
  return (
    <>
      {others.map((m) => {
        const n = told(m)?.node?.conflicts.open;
        if (n === own && n !== undefined) return null;
        return (
          <p class="warn">
            {n === undefined ? (
              <>
                what is in conflict at {m.name} is unknown since <Ago at={connection(m).since} plain />
              </>
            ) : (
              `${m.name} says ${n} open`
            )}
          </p>
        );
      })}
    </>
  );
}
