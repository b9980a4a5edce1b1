import { useState } from "preact/hooks";
import { ask, send } from "../api/call.ts";
import { parse } from "../api/exact.ts";
import { curl } from "../api/twin.ts";
import { to } from "../frame/route.ts";
import { base } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";
import { Copy } from "../parts/copy.tsx";
import { Json } from "../parts/text.tsx";
import { Failed } from "../parts/trouble.tsx";
import { checkCall } from "./check.ts";
import { Failing } from "./finding.tsx";
import { checked, type Checked, type Outcome, past } from "./shapes.ts";
import type { Mark } from "./source.tsx";

/** offered is how many past conflicts of each kind are offered. */
const offered = 50;

const byHand = `{
  "base": {"balance": 120},
  "base_exact": true,
  "siblings": [
    {"node": "a", "doc": {"balance": 20}},
    {"node": "b", "doc": {"balance": 70}}
  ]
}`;

/** pasts are conflicts that are open or on record. */
async function pasts(signal: AbortSignal) {
  const [open, settled] = await Promise.all(["open", "settled"].map((state) => ask(base.value, `/v1/conflicts?state=${state}&limit=${offered}`, past, signal)));
  return [...(open?.conflicts ?? []), ...(settled?.conflicts ?? [])];
}

/** Try asks the script about one conflict: a past one, or one that is made by hand. */
export function Try({ name, source, go }: { name: string; source: string; go: (mark: Mark) => void }) {
  const { answer } = useAsk(pasts, [base.value]);
  const [chosen, choose] = useState("");
  const [text, type] = useState(byHand);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [said, say] = useState<{ of: string; checked: Checked } | null>(null);
  const input = () => chosen || parse(text);
  const run = async () => {
    setBusy(true);
    setError(null);
    say(null);
    try {
      const reply = await send(checkCall(base.value, name, source, input()));
      say({ of: source, checked: checked(parse(reply.text), "") });
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section>
      <h2>Try it on one conflict</h2>
      <p class="muted">Nothing is written. The node runs the script as it stands above.</p>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void run();
        }}
      >
        <p class="resolvers-bar">
          <label>
            input{" "}
            <select value={chosen} onChange={(e) => choose(e.currentTarget.value)}>
              <option value="">made by hand</option>
              {answer.state === "here" &&
                answer.value.map((c) => (
                  <option value={c.id}>
                    {c.collection}/{c.doc_id}, {c.state === "open" ? "open" : `settled by ${c.by}`}
                  </option>
                ))}
            </select>
          </label>
          {chosen && <a href={to("conflicts", [chosen])}>look at it</a>}
          <button type="submit" disabled={busy} aria-busy={busy}>
            Run it
          </button>
        </p>
        {!chosen && <textarea aria-label="The conflict, as JSON" rows={8} spellcheck={false} dir="ltr" value={text} onInput={(e) => type(e.currentTarget.value)} />}
      </form>
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} />}
      {error !== null && (error instanceof SyntaxError ? <p class="warn">The input is not JSON: {error.message}</p> : <Failed error={error} />)}
      <div role="status">
        {said && said.of !== source && <p class="muted">The script has changed since. Run it again.</p>}
        {said && said.of === source && (said.checked.result ? <Result of={said.checked.result} go={go} /> : <p>It does not compile, so it gave nothing.</p>)}
      </div>
      {(chosen || !error) && <Shell name={name} source={source} input={chosen || text} />}
    </section>
  );
}

/** Shell is the same from a shell. The command line tries a script on the tests in it. */
function Shell({ name, source, input }: { name: string; source: string; input: string }) {
  const [open, setOpen] = useState(false);
  let conflict: unknown = input;
  try {
    conflict = input.trimStart().startsWith("{") ? parse(input) : input;
  } catch {
    return null; // it is told above that it is not JSON
  }
  return (
    <p>
      <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
        the same from a shell
      </button>
      {open && <Copy label="copy curl" text={curl(checkCall(base.value, name, source, conflict))} />}
      {open && <Copy label="copy command" text={`syncline resolver test ${name}.star`} />}
    </p>
  );
}

const verdicts: Record<string, string> = {
  value: "It settles the conflict with:",
  delete: "It settles the conflict by deleting the document.",
  defer: "It leaves the conflict to a person.",
  failed: "It fails on it, so the conflict would stay open:",
};

function Result({ of: r, go }: { of: Outcome; go: (mark: Mark) => void }) {
  return (
    <>
      <p class={r.verdict === "failed" ? "warn" : ""}>
        {verdicts[r.verdict] ?? r.verdict} {r.verdict === "value" && <Json value={r.doc} />}
        {r.failure && <Failing failure={r.failure} go={go} />}
      </p>
      <ul>
        {r.notes.map((n) => (
          <li>
            note: <bdi>{n}</bdi>
          </li>
        ))}
        {r.events.map((e) => (
          <li>
            event {e.name}: <Json value={e.data} />
          </li>
        ))}
      </ul>
      {r.output && <pre class="resolvers-output">{r.output}</pre>}
      <p class="muted">{r.steps.toLocaleString("en")} steps</p>
    </>
  );
}
