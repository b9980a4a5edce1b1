import { useState } from "preact/hooks";
import { ask, send, type Call } from "../api/call.ts";
import { parse, print } from "../api/exact.ts";
import { command } from "../api/twin.ts";
import type { Member } from "../live/members.ts";
import { Twins } from "../parts/act.tsx";
import { Failed } from "../parts/trouble.tsx";
import { source, type Run } from "./shapes.ts";

/** What a drawing outside of the page has to say itself, since it has no style sheet there. */
const drawn = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-weight", "opacity", "fill-opacity"];

/** save hands a text to the browser as a file. */
function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** alone is a drawing of the page as a file of its own, in its present colours. */
function alone(svg: SVGElement): string {
  const copy = svg.cloneNode(true);
  if (!(copy instanceof SVGElement)) return "";
  const to = [copy, ...copy.querySelectorAll<SVGElement>("*")];
  [svg, ...svg.querySelectorAll<SVGElement>("*")].forEach((from, i) => {
    const style = getComputedStyle(from);
    for (const name of drawn) to[i]?.setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.prepend(ground);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}

/** Exports are a run as files: all of it as JSON, its picture, and its script. */
export function Exports({ m, run }: { m: Member; run: Run }) {
  const [error, setError] = useState<unknown>(null);
  const whole: Call = { base: m.base, method: "GET", path: `/v1/chaos/runs/${run.id}` };
  const name = `${run.script}-${run.seed}`;
  const press = (work: () => Promise<void> | void) => async () => {
    setError(null);
    try {
      await work();
    } catch (e) {
      setError(e);
    }
  };
  const json = async () => save(`${name}.json`, "application/json", `${print(parse((await send(whole)).text), 2)}\n`);
  const picture = () => {
    const svg = document.querySelector<SVGElement>(".chaos-lanes svg");
    if (svg) save(`${name}.svg`, "image/svg+xml", alone(svg));
  };
  const script = async () => save(`${run.script}.star`, "text/plain", (await ask(m.base, `/v1/chaos/scripts/${run.script}`, source)).source);
  return (
    <p class="act">
      <span>Save as</span>
      <button type="button" onClick={press(json)}>
        JSON
      </button>
      {run.timeline && (
        <button type="button" onClick={press(picture)}>
          SVG
        </button>
      )}
      <button type="button" onClick={press(script)}>
        script
      </button>
      <Twins calls={[whole, { base: m.base, method: "GET", path: `/v1/chaos/scripts/${run.script}` }]} command={`${command(m.base, "chaos", "runs", run.id, "--output", "json")}\n${command(m.base, "chaos", "scripts", run.script)}`} />
      {error !== null && <Failed error={error} />}
    </p>
  );
}
