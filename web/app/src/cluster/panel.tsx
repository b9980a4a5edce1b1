import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Call } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { healLink } from "../frame/heal.tsx";
import { base, connection, told, type Member } from "../live/members.ts";
import { Act, type Action } from "../parts/act.tsx";
import { Ago, Left } from "../parts/time.tsx";
import { byChaos, differ, missing, type Direction, type Link, type Says } from "./links.ts";
import { trip } from "./topology.tsx";
import { and } from "./words.ts";

/** Setting is what somebody chose for the next fault. */
interface Setting {
  seconds: number;
  way: "both" | "there" | "back";
  delay: number; // ms
  loss: number; // percent
  period: number; // ms
}

/** Limits of a node for faults: a day, 10 s of delay, a period of 20 ms to an hour. */
const limits = { seconds: 86_400, delay: 10_000, leastPeriod: 20, period: 3_600_000 };

/** Panel is one link: what both ends say of it, and what chaos can do to it. */
export function Panel({ link, close }: { link: Link; close: () => void }) {
  const head = useRef<HTMLHeadingElement>(null);
  const setting = useSignal<Setting>({ seconds: 30, way: "both", delay: 50, loss: 30, period: 1000 });
  useEffect(() => head.current?.focus(), [link.key]);
  return (
    <section id="cluster-panel" class="cluster-panel" aria-labelledby="cluster-panel-head" onKeyDown={(e) => e.key === "Escape" && close()}>
      <h2 id="cluster-panel-head" ref={head} tabIndex={-1}>
        Link {link.key}
      </h2>
      <button type="button" class="quiet" onClick={close}>
        Close
      </button>
      {link.ways.map((way) => (
        <Said way={way} />
      ))}
      {missing(link).map((m) => (
        <p class="muted">
          {m.name} itself says nothing since <Ago at={connection(m).since} plain />: what it sees of this link is unknown.
        </p>
      ))}
      <Faults link={link} />
      <Controls link={link} setting={setting.value} set={(change) => (setting.value = { ...setting.value, ...change })} />
    </section>
  );
}

function Said({ way }: { way: Direction }) {
  return (
    <p>
      <b>
        {way.from.name} → {way.to.name}
      </b>{" "}
      {way.says.length === 0 && <span class="muted">unknown: neither end answers this page</span>}
      {way.says.map((s, i) => (
        <span>
          {i > 0 && "; "}
          {s.who} says <SaysWords says={s} />
        </span>
      ))}
      {differ(way) && <span class="muted"> (they differ: each sees its own end)</span>}
      {way.roundTrip !== null && <span class="muted"> · round trip {trip(way)}</span>}
    </p>
  );
}

function SaysWords({ says }: { says: Says }) {
  return (
    <>
      {says.state}
      {says.hearsay && " (hearsay)"}
      {says.since && (
        <>
          {" "}
          since <Ago at={says.since} plain />
        </>
      )}
      {says.cause && `: ${says.cause}`}
    </>
  );
}

/** Faults are those that are on, with their end; one button heals the link. */
function Faults({ link }: { link: Link }) {
  if (link.faults.length === 0) return null;
  const [a, b] = link.ends;
  const heal: Action = { label: "Heal this link", ...healLink(a.name, b.name, true), scope: "chaos" };
  return (
    <div>
      <ul class="cluster-faults">
        {link.faults.map(({ member, fault }) => (
          <li>
            on {member.name}: {fault.from}
            {fault.both ? "–" : "→"}
            {fault.to} {byChaos(fault)}, <Left until={fault.expires} />
          </li>
        ))}
      </ul>
      <Act class="primary" action={heal} />
    </div>
  );
}

/** Controls put a fault on both ends. An end that takes none says why. */
function Controls({ link, setting, set }: { link: Link; setting: Setting; set: (change: Partial<Setting>) => void }) {
  const [a, b] = link.ends;
  const cannot = and([...link.ends].map(whyNot).filter(Boolean)) || wrong(setting);
  const act = (label: string, part: Fault) => <Act action={faultAction(link, setting, label, part)} disabled={cannot} />;
  return (
    <fieldset class="cluster-controls">
      <legend>Disturb this link</legend>
      <div class="row">
        <Field label="for" unit="s" value={setting.seconds} set={(seconds) => set({ seconds })} />
        <label>
          direction{" "}
          <select value={setting.way} onChange={(e) => set({ way: ways.find((w) => w === e.currentTarget.value) ?? "both" })}>
            <option value="both">both ways</option>
            <option value="there">
              {a.name} → {b.name}
            </option>
            <option value="back">
              {b.name} → {a.name}
            </option>
          </select>
        </label>
      </div>
      <div class="row">{act("Cut", { kind: "cut" })}</div>
      <div class="row">
        {act("Slow", { kind: "delay", delay: `${setting.delay}ms` })}
        <Field label="by" unit="ms" value={setting.delay} set={(delay) => set({ delay })} />
      </div>
      <div class="row">
        {act("Lose", { kind: "loss", loss: setting.loss / 100 })}
        <Field label="of what is sent" unit="%" value={setting.loss} set={(loss) => set({ loss })} />
      </div>
      <div class="row">
        {act("Flap", { kind: "flap", delay: `${setting.period}ms` })}
        <Field label="cut and healed within" unit="ms" value={setting.period} set={(period) => set({ period })} />
        {setting.way !== "both" && <span class="muted">a flap works in both directions</span>}
      </div>
      {cannot && <p class="muted">{cannot}.</p>}
    </fieldset>
  );
}

const ways = ["both", "there", "back"] as const;

function Field({ label, unit, value, set }: { label: string; unit: string; value: number; set: (n: number) => void }) {
  return (
    <label>
      {label} <input type="number" class="cluster-number" min="1" step="1" value={value} onInput={(e) => set(e.currentTarget.valueAsNumber)} /> {unit}
    </label>
  );
}

/** whyNot is why a process takes no faults, or "". */
function whyNot(m: Member): string {
  const t = told(m);
  if (!t) return `${m.name} does not answer this page, so its side cannot be disturbed`;
  return t.chaos ? "" : `${m.name} was started without --chaos`;
}

/** wrong is what a node would refuse, or "". */
function wrong(s: Setting): string {
  const whole = (n: number, from: number, most: number) => Number.isInteger(n) && n >= from && n <= most;
  if (!whole(s.seconds, 1, limits.seconds)) return `every fault has an end: 1 to ${limits.seconds} seconds`;
  if (!whole(s.delay, 1, limits.delay)) return `a delay is 1 to ${limits.delay} ms`;
  if (!whole(s.loss, 1, 100)) return "a loss is 1 to 100 %";
  if (!whole(s.period, limits.leastPeriod, limits.period)) return `a period is ${limits.leastPeriod} to ${limits.period} ms`;
  return "";
}

interface Fault {
  kind: "cut" | "delay" | "loss" | "flap";
  delay?: string;
  loss?: number;
}

function faultAction(link: Link, s: Setting, label: string, part: Fault): Action {
  const [from, to] = s.way === "back" ? [link.ends[1], link.ends[0]] : link.ends;
  const both = s.way === "both" || part.kind === "flap";
  const body = { from: from.name, to: to.name, ...part, both, duration: `${s.seconds}s` };
  // What is sent is delayed and lost where it is sent; a cut is a cut on both ends.
  const sides = !both && (part.kind === "delay" || part.kind === "loss") ? [from] : [from, to];
  const calls = sides.map((m): Call => ({ base: m.base, method: "POST", path: "/v1/chaos/faults", body }));
  return { label, calls, command: command(base.value, "chaos", ...words(part), from.name, to.name, "--for", `${s.seconds}s`, ...(both || part.kind === "flap" ? [] : ["--one-way"])), scope: "chaos" };
}

function words(part: Fault): string[] {
  if (part.kind === "delay") return ["slow", "--delay", part.delay ?? ""];
  if (part.kind === "loss") return ["lose", "--loss", String(part.loss)];
  if (part.kind === "flap") return ["flap", "--period", part.delay ?? ""];
  return ["cut"];
}
