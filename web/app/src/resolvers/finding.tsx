import { Changes } from "../parts/changes.tsx";
import { difference } from "../parts/difference.ts";
import { count, Json } from "../parts/text.tsx";
import type { Failure, Findings, Gate, GateCase, Outcome, ScriptTest } from "./shapes.ts";
import type { Mark } from "./source.tsx";

/** marksOf are the places of all that is wrong, to be marked in the source. */
export function marksOf(f: Findings | null): Mark[] {
  if (!f) return [];
  const failed = f.tests.flatMap((t) => (t.failure && t.failure.line > 0 ? [{ line: t.failure.line, column: t.failure.column, msg: `${t.name}: ${t.failure.msg}` }] : []));
  return [...f.problems, ...failed];
}

/** Finding is what a node found out about a source: whether it compiles, its tests, and whether all nodes would agree. */
export function Finding({ of: f, go }: { of: Findings; go: (mark: Mark) => void }) {
  if (f.problems.length > 0) {
    return (
      <>
        <p class="warn">It does not compile:</p>
        <ul>
          {f.problems.map((p) => (
            <li>
              <Place mark={p} go={go} /> {p.msg}
            </li>
          ))}
        </ul>
      </>
    );
  }
  return (
    <>
      <p>It compiles.</p>
      <h3>Tests</h3>
      {f.tests.length === 0 ? <p class="muted">It has none. A function whose name begins with test_ is one.</p> : <Tests tests={f.tests} go={go} />}
      <h3>Would all nodes agree?</h3>
      {f.gate ? <Agreement gate={f.gate} go={go} /> : <p class="muted">Not looked at.</p>}
    </>
  );
}

function Place({ mark, go }: { mark: Mark; go: (mark: Mark) => void }) {
  return (
    <button type="button" class="link" onClick={() => go(mark)}>
      line {mark.line}:{mark.column}
    </button>
  );
}

function Tests({ tests, go }: { tests: ScriptTest[]; go: (mark: Mark) => void }) {
  const failed = tests.filter((t) => !t.passed);
  return (
    <>
      <p class={failed.length > 0 ? "warn" : ""}>{failed.length > 0 ? `${count(failed.length, "test")} of ${tests.length} failed:` : `All ${count(tests.length, "test")} passed.`}</p>
      <ul>
        {failed.map((t) => (
          <li>
            {t.name}: {t.failure && <Failing failure={t.failure} go={go} />}
            {t.output && <pre class="resolvers-output">{t.output}</pre>}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Failing is why a script failed, and where. */
export function Failing({ failure: f, go }: { failure: Failure; go: (mark: Mark) => void }) {
  return (
    <>
      {f.line > 0 && <Place mark={{ line: f.line, column: f.column, msg: f.msg }} go={go} />} <bdi>{f.msg}</bdi>
    </>
  );
}

function Agreement({ gate, go }: { gate: Gate; go: (mark: Mark) => void }) {
  return (
    <>
      <p class={gate.passed ? "" : "warn"}>
        {gate.passed ? "Yes" : "No: it cannot be stored"}, by {count(gate.runs, "run")} over {count(gate.conflicts, "conflict")} that were made up or are on record.
        {gate.resolved === 0 && " It settled none of them, so nothing is known."}
        {!gate.complete && " The steps for it were used up before the end."}
      </p>
      <Cases title="Why it is refused: nodes would end with different values" cases={gate.diverged} go={go} />
      <Cases title="Conflicts on record that it fails on" cases={gate.failed} go={go} />
      <Cases title="Warnings: the result depends on grouping, or on the order of members" cases={gate.warnings} go={go} />
    </>
  );
}

function Cases({ title, cases, go }: { title: string; cases: GateCase[]; go: (mark: Mark) => void }) {
  if (cases.length === 0) return null;
  return (
    <details>
      <summary>
        {title} ({cases.length})
      </summary>
      {cases.map((c) => (
        <div class="resolvers-case">
          <p>
            {c.check}: {c.how}
          </p>
          <p>
            base <Json value={c.conflict.base} />, sides{" "}
            {c.conflict.siblings.map((s, i) => (
              <>
                {i > 0 && ", "}
                {s.node} {s.deleted ? "deletion" : <Json value={s.doc} />}
              </>
            ))}
          </p>
          <Pair want={c.want} got={c.got} go={go} />
        </div>
      ))}
    </details>
  );
}

function Pair({ want, got, go }: { want: Outcome | null; got: Outcome | null; go: (mark: Mark) => void }) {
  const side = (o: Outcome | null) => (o?.failure ? <Failing failure={o.failure} go={go} /> : <Json value={o?.doc ?? o?.verdict ?? null} />);
  if (want?.verdict === "value" && got?.verdict === "value") return <Changes caption="The two results" of={difference(want.doc, got.doc)} before="once" after="the other time" />;
  return (
    <p>
      once {side(want)}, the other time {side(got)}
    </p>
  );
}
