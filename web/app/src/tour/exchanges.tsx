import { parse, print } from "../api/exact.ts";
import { count } from "../parts/text.tsx";
import { story } from "./kept.ts";
import type { Stage } from "./stage.ts";
import type { Exchange } from "./wire.ts";

/** short is how long an answer may be to stay on one line, in characters. */
const short = 100;

/** Exchanges are the real requests of a step and their answers; those of a step long past behind one line. */
export function Exchanges({ stage, folded }: { stage: Stage; folded: boolean }) {
  const all = story.value.exchanges.filter((e) => e.stage === stage);
  if (all.length === 0) return null;
  const list = (
    <ol class="tour-wire" aria-label="Requests and answers">
      {all.map((e) => (
        <li>
          <One {...e} />
        </li>
      ))}
    </ol>
  );
  if (!folded) return list;
  return (
    <details>
      <summary>{count(all.length, "request")}</summary>
      {list}
    </details>
  );
}

/** One is a request with its answer. What was refused is open at once: it is what the step shows. */
function One({ what, curl, status, code, headers, body, clipped }: Exchange) {
  const refused = status === 0 || status >= 400;
  return (
    <>
      <p>
        {what} <strong class={refused ? "warn" : undefined}>{status === 0 ? "no answer" : `${status}${code && ` ${code}`}`}</strong>
      </p>
      <details open={refused}>
        <summary>request and answer</summary>
        <pre class="tour-pre">
          {`$ ${curl}\n${status === 0 ? "(no answer came: what it did is unknown)" : `HTTP ${status}`}\n${headers.map((h) => `${h}\n`).join("")}\n`}
          <bdi>{readable(body)}</bdi>
          {clipped && "\n… (the answer is longer)"}
        </pre>
      </details>
    </>
  );
}

/** readable spreads a long JSON text over lines, and leaves a short one as it came. */
function readable(body: string): string {
  if (body.length <= short) return body;
  try {
    return print(parse(body), 2);
  } catch {
    return body; // lines of JSON, or cut off
  }
}
