import { to } from "../frame/route.ts";
import { count, Id, Json } from "../parts/text.tsx";
import type { Run } from "./bulk.tsx";
import type { Outcome } from "./shapes.ts";
import { nodeOf } from "./spacetime.ts";

/** examples is how many conflicts stand for a group. */
const examples = 3;

/** Preview says per outcome how many conflicts would become what. */
export function Preview({ run }: { run: Run }) {
  if (!run.last) return <Going run={run} />;
  const groups = new Map<string, Outcome[]>();
  for (const line of run.lines) groups.set(wouldBe(line), [...(groups.get(wouldBe(line)) ?? []), line]);
  return (
    <div class="conflicts-preview" role="status">
      <p>A preview: nothing was changed.</p>
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">
              conflicts
            </th>
            <th scope="col">would</th>
            <th scope="col">such as</th>
          </tr>
        </thead>
        <tbody>
          {[...groups].map(([words, lines]) => (
            <tr>
              <td class="number">{lines.length.toLocaleString("en")}</td>
              <td>{words}</td>
              <td>
                {lines.slice(0, examples).map((line) => (
                  <Example line={line} />
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** wouldBe says what a line of a dry run means. */
function wouldBe(line: Outcome): string {
  if (line.problem) return `stay open: ${line.problem.title}`;
  if (line.verdict === "delete") return "be deleted";
  if (line.same) return "become what is shown now";
  if (line.verdict === "value") return "become what the resolver returns";
  return line.pick === null ? "stay open: nothing of it was written there" : `become what ${nodeOf(line.pick)} wrote, not what is shown now`;
}

function Example({ line }: { line: Outcome }) {
  return (
    <div>
      <a href={to("conflicts", [line.conflict])}>
        {line.collection} / <Id value={line.id} />
      </a>{" "}
      {line.doc !== undefined && <Json value={line.doc} />} {line.problem?.detail}
    </div>
  );
}

function Going({ run }: { run: Run }) {
  if (run.broken) return <p role="status">Broken off after {run.lines.length} of {run.of}: of the others nothing is known until the list is read again.</p>;
  return (
    <p role="status">
      <progress max={run.of} value={run.lines.length} aria-label="conflicts so far" /> {run.lines.length.toLocaleString("en")} of {run.of.toLocaleString("en")}
    </p>
  );
}

/** Outcomes is what became of many conflicts, and of which nothing did. */
export function Outcomes({ run, close }: { run: Run; close: () => void }) {
  const failed = run.lines.filter((l) => l.problem);
  const skipped = run.lines.filter((l) => !l.problem && l.dot === null);
  if (!run.last) return <Going run={run} />;
  return (
    <div class="conflicts-preview" role="status">
      <p>
        {count(run.last.ok, "conflict")} resolved, {run.last.failed} failed, {run.last.skipped} skipped. <a href={to("conflicts", [], { tab: "settled" })}>Look at the settled ones</a>{" "}
        <button type="button" class="link" onClick={close}>
          Close
        </button>
      </p>
      {[...failed, ...skipped].slice(0, 10).map((line) => (
        <Example line={line} />
      ))}
      {failed.length + skipped.length > 10 && <p>and {failed.length + skipped.length - 10} more, which stay in the list</p>}
    </div>
  );
}
