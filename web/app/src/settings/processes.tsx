import { useSignal } from "@preact/signals";
import { ask, Silent } from "../api/call.ts";
import { connection, type Member, members, stateOf } from "../live/members.ts";
import { useEvery } from "../parts/every.ts";
import { Sign } from "../parts/sign.tsx";
import { bytes } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { process, type Process, version, type Version } from "./shapes.ts";
import { TimingOf } from "./timing.tsx";

/** every is how long after an answer each process is asked again, in milliseconds. */
const every = 5_000;
/** within is how long a process may take to answer, in milliseconds: after that it is unknown. */
const within = 3_000;

/** Told is what one process says of itself, or why it does not. */
export interface Told {
  member: Member;
  said: { process: Process; version: Version } | null;
  why: string;
}

async function tell(member: Member, stop: AbortSignal): Promise<Told> {
  const limit = AbortSignal.timeout(within);
  const signal = AbortSignal.any([stop, limit]);
  try {
    if (!member.base) throw new Silent(member.name, "the roster has no API address of it");
    const [p, v] = await Promise.all([ask(member.base, "/v1/cluster", process, signal), ask(member.base, "/version", version, signal)]);
    return { member, said: { process: p, version: v }, why: "" };
  } catch (error) {
    return { member, said: null, why: limit.aborted ? `silent for ${within / 1000} s` : error instanceof Silent ? error.why : error instanceof Error ? error.message : String(error) };
  }
}

/** Members asks every process of the roster itself, again and again while somebody looks. */
export function Members() {
  const told = useSignal<Told[]>([]);
  const names = members.value.map((m) => m.base).join();
  const askAll = async (signal: AbortSignal) => {
    const found = await Promise.all(members.value.map((m) => tell(m, signal)));
    if (!signal.aborted) told.value = found;
  };
  useEvery(every, askAll, [names]);
  return (
    <>
      <h2>Members</h2>
      {told.value.length === 0 ? <p class="muted">asking each member …</p> : <Table told={told.value} />}
      <Differences told={told.value} />
      <TimingOf told={told.value} />
    </>
  );
}

function Table({ told }: { told: Told[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Members">
      <table>
        <thead>
          <tr>
            {["member", "role", "state", "roster epoch", "API", "peer", "priority", "build", "runs since", "free on its disk"].map((h) => (
              <th scope="col">{h}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {told.map((t) => (
            <tr>
              <th scope="row">{t.member.name}</th>
              <td>{t.member.role}</td>
              <td>
                <Sign state={stateOf(t.member)} word={stateOf(t.member) === "writable" && t.member.role === "witness" ? "grants votes" : true} />
              </td>
              {t.said ? <Said process={t.said.process} version={t.said.version} name={t.member.name} /> : <Silence told={t} />}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Silence({ told: { member, why } }: { told: Told }) {
  const c = connection(member);
  return (
    <td colSpan={7}>
      ? unknown{" "}
      {c.state === "lost" && (
        <>
          since <Ago at={c.since} plain />
        </>
      )}
      : {why}
    </td>
  );
}

function Said({ process: p, version: v, name }: { process: Process; version: Version; name: string }) {
  const self = p.roster.members.find((m) => m.name === name);
  return (
    <>
      <td>{p.roster.epoch}</td>
      <td>{self?.api || "none"}</td>
      <td>{self?.peer}</td>
      <td>{self?.priority}</td>
      <td title={v.go}>{p.build}</td>
      <td>
        <Ago at={v.started} plain />
      </td>
      <td class={p.disk?.low ? "warn" : ""}>{p.disk ? `${bytes(p.disk.free_bytes)}${p.disk.low ? ", low: takes no writes" : ""}` : <span class="muted">stores no documents</span>}</td>
    </>
  );
}

/** Differences says where members contradict each other. */
function Differences({ told }: { told: Told[] }) {
  const by = (what: (t: NonNullable<Told["said"]>) => string): string[] => {
    const groups = new Map<string, string[]>();
    for (const t of told) if (t.said) groups.set(what(t.said), [...(groups.get(what(t.said)) ?? []), t.member.name]);
    return groups.size > 1 ? [...groups].map(([value, names]) => `${names.join(" and ")}: ${value}`) : [];
  };
  const epochs = by((s) => String(s.process.roster.epoch));
  const builds = by((s) => s.process.build);
  return (
    <>
      {epochs.length > 0 && (
        <Trouble what="Members have different rosters" cause={`Roster epochs: ${epochs.join("; ")}.`} remedy="Votes count only within one epoch. Bring the members that are behind back into reach of the others; syncline status shows who votes for whom." />
      )}
      {builds.length > 0 && <p class="warn">Members run different builds: {builds.join("; ")}. Finish the upgrade.</p>}
    </>
  );
}
