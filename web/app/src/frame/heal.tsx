import type { Call } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { base, faults, members, told } from "../live/members.ts";
import { Act } from "../parts/act.tsx";
import { Left } from "../parts/time.tsx";

/** healCalls end every fault on every process that takes faults and can be reached. */
export const healCalls = (): Call[] =>
  members.value.filter((m) => told(m)?.chaos).map((m) => ({ base: m.base, method: "DELETE", path: "/v1/chaos/faults" }));

/** HealAll is in sight while a fault is on. */
export function HealAll({ label = "Heal everything" }: { label?: string }) {
  const bases = members.value.filter((m) => told(m)?.chaos).map((m) => m.base);
  const line = ["syncline", ...bases.flatMap((b) => ["--node", b]), "chaos", "heal"].join(" ");
  return <Act class="heal" action={{ label, calls: healCalls(), command: bases.length ? line : command(base.value, "chaos", "heal"), scope: "chaos" }} />;
}

/** ChaosStrip says what chaos does now and until when (rule 5). */
export function ChaosStrip() {
  if (faults.value.length === 0) return null;
  const told = new Map<string, string>();
  for (const { fault } of faults.value) {
    const name = `${fault.from}${fault.both ? "–" : "→"}${fault.to} ${fault.kind}`;
    const old = told.get(name);
    if (!old || old < fault.expires) told.set(name, fault.expires);
  }
  return (
    <div class="strip" role="status">
      <strong>chaos</strong>
      {[...told].slice(0, 4).map(([name, until]) => (
        <span>
          {name}, <Left until={until} />
        </span>
      ))}
      {told.size > 4 && <span>and {told.size - 4} more</span>}
      <HealAll />
    </div>
  );
}
