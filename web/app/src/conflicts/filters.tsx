import { ask } from "../api/call.ts";
import { list, shape, text } from "../api/decode.ts";
import { command } from "../api/twin.ts";
import { go, to } from "../frame/route.ts";
import { base } from "../live/members.ts";
import { Twins } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import type { Filter, State } from "./inbox.ts";

const collections = shape({ collections: list(shape({ name: text })) });

const enders = [
  ["policy", "a policy"],
  ["script", "a script"],
  ["person", "a person"],
  ["overwritten", "a write over them"],
] as const;

/** Filters leave some conflicts out, in the address too. */
export function Filters({ state, filter }: { state: State; filter: Filter }) {
  const { answer } = useAsk((stop) => ask(base.value, "/v1/collections?limit=1000", collections, stop), [base.value]);
  const names = answer.state === "here" ? answer.value.collections.map((c) => c.name).filter((name) => !name.startsWith("_")) : [];
  const set = (change: Partial<Filter>) => go(to("conflicts", [], { tab: state, ...filter, ...change }), true);
  const query = new URLSearchParams(Object.entries({ state, ...filter }).filter(([, v]) => v !== ""));
  const words = ["conflicts", "ls", "--state", state, ...(filter.c ? ["--collection", filter.c] : []), ...(filter.by ? ["--by", filter.by] : [])];
  return (
    <div class="conflicts-filters">
      <label>
        collection{" "}
        <select value={filter.c} onChange={(e) => set({ c: e.currentTarget.value })}>
          <option value="">all</option>
          {[...new Set([...names, ...(filter.c ? [filter.c] : [])])].map((name) => (
            <option value={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        ended by{" "}
        <select value={filter.by} disabled={state === "open"} title={state === "open" ? "open ones have not ended" : ""} onChange={(e) => set({ by: e.currentTarget.value })}>
          <option value="">anybody</option>
          {enders.map(([value, words]) => (
            <option value={value}>{words}</option>
          ))}
        </select>
      </label>
      <Twins calls={[{ base: base.value, method: "GET", path: `/v1/conflicts?${query}` }]} command={command(base.value, ...words)} />
    </div>
  );
}
