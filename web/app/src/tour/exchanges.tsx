import { story } from "./kept.ts";
import type { Stage } from "./stage.ts";
import type { Exchange } from "./wire.ts";

/** Exchanges are the real requests of a step and their answers. */
export function Exchanges({ stage }: { stage: Stage }) {
  const all = story.value.exchanges.filter((e) => e.stage === stage);
  if (all.length === 0) return null;
  return (
    <ol class="tour-wire" aria-label="Requests and answers">
      {all.map((e) => (
        <li>
          <One {...e} />
        </li>
      ))}
    </ol>
  );
}

function One({ what, curl, status, code, headers, body, clipped }: Exchange) {
  return (
    <>
      <p>
        {what} <strong class={status === 0 || status >= 400 ? "warn" : undefined}>{status === 0 ? "no answer" : `${status}${code && ` ${code}`}`}</strong>
      </p>
      <details>
        <summary>request and answer</summary>
        <pre class="tour-pre">{`$ ${curl}\n${status === 0 ? "(no answer came: what it did is unknown)" : `HTTP ${status}`}\n${headers.map((h) => `${h}\n`).join("")}\n`}<bdi>{body}</bdi>{clipped ? "\n… (the answer is longer)" : ""}</pre>
      </details>
    </>
  );
}
