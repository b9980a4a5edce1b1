import type { Call } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { base, faults, members, told } from "../live/members.ts";
import { Act, type Action } from "../parts/act.tsx";
import { Left } from "../parts/time.tsx";

/** brave are the processes that take faults, as far as they are reached. */
const brave = () => members.value.filter((m) => told(m)?.chaos);

/**
 * healCalls end every fault on every process that takes faults and can be
 * reached. A data node also stops the runs that it carries out, and heals those
 * that only it reaches.
 */
export const healCalls = (): Call[] =>
  brave().map((m) => (m.role === "data" ? { base: m.base, method: "POST", path: "/v1/chaos/heal" } : { base: m.base, method: "DELETE", path: "/v1/chaos/faults" }));

/** healCommand is the same as a command line. */
export const healCommand = (): string => command((brave()[0] ?? { base: base.value }).base, "chaos", "heal");

/**
 * healLink ends faults of one link on both of its ends: those of what goes from one member to another, with both also
 * those of the other direction. It ends too what the page has not heard of yet.
 */
export const healLink = (from: string, to: string, both: boolean): Pick<Action, "calls" | "command"> => ({
  calls: brave()
    .filter((m) => m.name === from || m.name === to)
    .map((m) => ({ base: m.base, method: "DELETE", path: `/v1/chaos/faults?${new URLSearchParams({ from, to, both: String(both) })}` })),
  command: command(base.value, "chaos", "heal", from, to, ...(both ? [] : ["--one-way"])),
});

/** HealAll is in sight while a fault is on. */
export function HealAll({ label = "Heal everything" }: { label?: string }) {
  return <Act class="heal" action={{ label, calls: healCalls(), command: healCommand(), scope: "chaos" }} />;
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
