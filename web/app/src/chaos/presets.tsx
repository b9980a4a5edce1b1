import { useState } from "preact/hooks";
import { ask, type Call, type Reply } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import { command } from "../api/twin.ts";
import { base, dataNodes, members } from "../live/members.ts";
import { Act } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { Failed, Trouble } from "../parts/trouble.tsx";
import { lasts } from "./duration.tsx";
import { placed, presets, type Preset } from "./shapes.ts";

/** What a preset is given beside its duration. */
type Given = Record<"node" | "from" | "to" | "delay", string>;

/** Presets are shapes of faults, put on both ends of all their links. */
export function Presets() {
  const { answer, again } = useAsk((signal) => ask(base.value, "/v1/chaos/presets", presets, signal), [base.value]);
  if (answer.state === "asking") return <p class="muted">loading the presets …</p>;
  if (answer.state === "failed") return <Failed error={answer.error} at={answer.at} retry={again} />;
  return <Choose all={answer.value.presets} />;
}

function Choose({ all }: { all: Preset[] }) {
  const names = members.value.map((m) => m.name);
  const [name, choose] = useState(all[0]?.name ?? "");
  const [given, give] = useState<Given>({ node: dataNodes.value.at(-1)?.name ?? "", from: names[0] ?? "", to: names[1] ?? "", delay: "50ms" });
  const [missed, setMissed] = useState<{ node: string; error: string }[]>([]);
  const preset = all.find((p) => p.name === name);
  if (!preset) return <p class="muted">This node offers no presets.</p>;
  const done = ([reply]: Reply[]) => setMissed(reply ? placed(parse(reply.text), "").unreachable : []);
  return (
    <>
      <div class="chaos-row">
        <label>
          preset{" "}
          <select value={name} onChange={(e) => choose(e.currentTarget.value)}>
            {all.map((p) => (
              <option value={p.name}>{p.name.replaceAll("_", " ")}</option>
            ))}
          </select>
        </label>
        {preset.takes.map((takes) => (
          <Field takes={takes} given={given} give={give} />
        ))}
        <Act action={{ label: `Put it on for ${lasts.value}`, calls: [callOf(preset, given)], command: commandOf(preset, given), scope: "chaos" }} done={done} />
      </div>
      <p class="muted">{preset.about}</p>
      {missed.length > 0 && (
        <Trouble
          what="Not all processes took their part"
          cause={missed.map((m) => `${m.node}: ${m.error}`).join("; ")}
          remedy="The other ends have theirs, and it ends by itself. Heal everything, or try again when they are reached."
        />
      )}
    </>
  );
}

function Field({ takes, given, give }: { takes: string; given: Given; give: (g: Given) => void }) {
  if (takes === "delay") {
    return (
      <label>
        delay <input type="text" size={6} value={given.delay} onInput={(e) => give({ ...given, delay: e.currentTarget.value })} />
      </label>
    );
  }
  if (takes !== "node" && takes !== "from" && takes !== "to") return null; // a later program takes more, and says so itself
  return (
    <label>
      {takes}{" "}
      <select value={given[takes]} onChange={(e) => give({ ...given, [takes]: e.currentTarget.value })}>
        {members.value.map((m) => (
          <option value={m.name}>{m.name}</option>
        ))}
      </select>
    </label>
  );
}

const taken = (preset: Preset, given: Given) => (["node", "from", "to", "delay"] as const).filter((n) => preset.takes.includes(n)).map((n) => [n, given[n]] as const);

function callOf(preset: Preset, given: Given): Call {
  return { base: base.value, method: "POST", path: `/v1/chaos/presets/${preset.name}`, body: { ...Object.fromEntries(taken(preset, given)), duration: lasts.value } };
}

function commandOf(preset: Preset, given: Given): string {
  const words = taken(preset, given).flatMap(([n, v]) => (n === "delay" ? ["--delay", v] : [v]));
  return command(base.value, "chaos", "preset", preset.name, ...words, "--for", lasts.value);
}
