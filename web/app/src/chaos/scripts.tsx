import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ask, type Call } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import { command } from "../api/twin.ts";
import { go, to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { Act } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { Failed } from "../parts/trouble.tsx";
import { run, scripts, type Script } from "./shapes.ts";

/** Scripts are those that the viewed node offers, with why one cannot run here. */
export function Scripts({ busy }: { busy: string }) {
  const { answer, again } = useAsk((signal) => ask(base.value, "/v1/chaos/scripts", scripts, signal), [base.value]);
  const [seed, type] = useState("");
  if (answer.state === "asking") return <p class="muted">loading the scripts …</p>;
  if (answer.state === "failed") return <Failed error={answer.error} at={answer.at} retry={again} />;
  const all = answer.value.scripts;
  if (all.length === 0) return <p class="muted">The folder of this node has no scripts. `syncline chaos run --help` says how to write one.</p>;
  const fitting = all.filter((s) => s.fits);
  const others = all.filter((s) => !s.fits);
  return (
    <>
      <p class="muted">They run on this very cluster, with its own load, and heal what they broke. All that is random in a run comes from its seed.</p>
      <p>
        <label>
          seed{" "}
          <input type="text" inputMode="numeric" pattern="[0-9]*" size={12} placeholder="drawn" value={seed} onInput={(e) => type(e.currentTarget.value.replace(/\D/g, ""))} />
        </label>
      </p>
      <List all={fitting} row={(s) => <Start script={s} seed={seed} busy={busy} />} />
      {others.length > 0 && (
        <details>
          <summary>{others.length} more do not fit this cluster, or need its processes</summary>
          <List all={others} row={(s) => <span class="muted">{s.why_not}</span>} />
        </details>
      )}
    </>
  );
}

function List({ all, row }: { all: Script[]; row: (s: Script) => ComponentChildren }) {
  return (
    <ul class="chaos-scripts">
      {all.map((s) => (
        <li>
          <span class="chaos-row">
            <strong>{s.name}</strong> {row(s)}
          </span>
          <span class="chaos-about">{s.about}</span>
        </li>
      ))}
    </ul>
  );
}

function Start({ script, seed, busy }: { script: Script; seed: string; busy: string }) {
  const call: Call = { base: base.value, method: "POST", path: `/v1/chaos/scripts/${script.name}/run` };
  if (seed) call.body = `{"seed":${seed}}`; // as it was typed: a seed may be longer than a number of the browser
  const words = ["chaos", "start", script.name, ...(seed ? ["--seed", seed] : []), "--watch"];
  return (
    <Act
      action={{ label: `Run ${script.name}`, calls: [call], command: command(base.value, ...words), scope: "chaos" }}
      disabled={busy}
      done={([reply]) => {
        if (reply) go(to("chaos", ["run", viewed.value, run(parse(reply.text), "").id]));
      }}
    />
  );
}
