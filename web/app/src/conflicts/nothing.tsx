import { command } from "../api/twin.ts";
import { to } from "../frame/route.ts";
import { base, connection, dataNodes, told, viewed } from "../live/members.ts";
import { Copy } from "../parts/copy.tsx";
import { Ago } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import type { State } from "./inbox.ts";

const words: Record<State, string> = {
  open: "No conflict is open, as far as",
  settled: "No settled conflict is on record, as far as",
  reviewed: "No record was marked as reviewed, as far as",
};

/** Nothing is an empty list: what that says, what it does not say, and what to type next. */
export function Nothing({ state, filtered }: { state: State; filtered: boolean }) {
  const silent = dataNodes.value.filter((m) => !told(m));
  const next = state === "open" ? command(base.value, "conflicts", "ls", "--state", "settled") : command(base.value, "conflicts", "ls");
  return (
    <div class="conflicts-nothing">
      <p>
        {words[state]} {viewed.value} knows{filtered && ", with these filters"}.
      </p>
      {silent.map((m) => (
        <p class="warn">
          What {m.name} knows is unknown since <Ago at={connection(m).since} plain />.
        </p>
      ))}
      <p class="muted">
        Next: <a href={to("tour")}>see how one comes about</a>, or type
      </p>
      <Copy label="copy" text={next} />
    </div>
  );
}

/** Elsewhere is a node that did not answer, and the others that may. */
export function Elsewhere({ error, at, retry }: { error: unknown; at: number; retry: () => void }) {
  const others = dataNodes.value.filter((m) => m.name !== viewed.value && told(m));
  return (
    <>
      <Failed error={error} at={at} retry={retry} />
      {others.map((m) => (
        <button type="button" onClick={() => (viewed.value = m.name)}>
          Look at what {m.name} knows
        </button>
      ))}
    </>
  );
}
