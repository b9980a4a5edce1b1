import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { send, Silent } from "../api/call.ts";
import { lines } from "../api/lines.ts";
import { command } from "../api/twin.ts";
import { base, dataNodes } from "../live/members.ts";
import { Act } from "../parts/act.tsx";
import { count } from "../parts/text.tsx";
import { Outcomes, Preview } from "./outcomes.tsx";
import { useResolverNames } from "./names.ts";
import { manyCall, manyCommand, mostAtOnce, type Rule, ruleWords } from "./rule.ts";
import type { State } from "./inbox.ts";
import { outcome, type Outcome, type Summary } from "./shapes.ts";

/** Run is a request about many conflicts, as far as it has come. */
export interface Run {
  key: string; // the rule and the conflicts that it is of
  of: number;
  lines: readonly Outcome[];
  last: Outcome | null; // null: it goes on, or has broken off
  broken: boolean; // the answer ended before its last line: of the rest nothing is known
}

interface Props {
  state: State;
  conflicts: readonly Summary[];
  selected: ReadonlySet<string>;
  select: (ids: ReadonlySet<string>) => void;
  done: () => void;
}

/** Bulk ends what is selected by one rule, after it has shown what that would do. */
export function Bulk(props: Props) {
  const { state, conflicts, selected, select } = props;
  if (state === "reviewed") return null;
  const ids = conflicts.filter((c) => selected.has(c.id)).map((c) => c.id);
  const all = conflicts.slice(0, mostAtOnce).map((c) => c.id);
  return (
    <div class="conflicts-bulk" role="region" aria-label="What is selected">
      <div class="conflicts-line">
        <strong>{ids.length === 0 ? "Nothing selected" : `${count(ids.length, "conflict")} selected`}</strong>
        <button type="button" class="link" disabled={ids.length === all.length} onClick={() => select(new Set(all))}>
          all {all.length.toLocaleString("en")}
          {conflicts.length > mostAtOnce && ", as many as go at once"}
        </button>
        <button type="button" class="link" disabled={ids.length === 0} onClick={() => select(new Set())}>
          none
        </button>
      </div>
      {state === "open" ? <Resolve {...props} ids={ids} /> : <Review {...props} ids={ids} />}
    </div>
  );
}

/** useRun sends a request about many conflicts, and counts its answers as they come. */
function useRun() {
  const run = useSignal<Run | null>(null);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const start = async (rule: Rule, ids: readonly string[], dry: boolean): Promise<void> => {
    stop.current.abort();
    stop.current = new AbortController();
    const come: Outcome[] = [];
    let last: Outcome | null = null;
    let shown = 0;
    const show = (broken = false) => void (run.value = { key: keyOf(rule, ids), of: ids.length, lines: [...come], last, broken });
    show();
    try {
      for await (const line of lines(manyCall(base.value, rule, ids, dry), outcome, stop.current.signal)) {
        if (line.done) last = line;
        else come.push(line);
        // Ten times a second is enough to see that it goes on.
        if (Date.now() - shown > 100) show();
        shown = Date.now() - shown > 100 ? Date.now() : shown;
      }
      if (!last) throw new Silent(base.value, `the answer broke off after ${come.length} of ${ids.length}`);
      show();
    } catch (error) {
      show(true);
      throw error;
    }
  };
  return { run: run.value, start, clear: () => void (run.value = null) };
}

const keyOf = (rule: Rule, ids: readonly string[]): string => `${rule} ${ids.join()}`;

function Resolve({ ids, done, select }: Props & { ids: string[] }) {
  const rule = useSignal<Rule>("newest");
  const preview = useRun();
  const apply = useRun();
  const names = useResolverNames();
  const previewed = preview.run?.last && preview.run.key === keyOf(rule.value, ids) ? preview.run : null;
  if (ids.length === 0 && !apply.run) return null;
  const action = (dry: boolean) => ({ calls: [manyCall(base.value, rule.value, ids, dry)], command: manyCommand(base.value, rule.value, ids, dry), scope: "resolve" as const });
  return (
    <>
      {ids.length > 0 && (
        <div class="conflicts-line">
          <label>
            end them by{" "}
            <select value={rule.value} onChange={(e) => (rule.value = e.currentTarget.value)}>
              {["newest", "oldest", ...dataNodes.value.map((m) => `node=${m.name}`), ...names.map((n) => `resolver=${n}`)].map((r) => (
                <option value={r}>{ruleWords(r)}</option>
              ))}
            </select>
          </label>
          <Act action={{ label: "Preview", ...action(true) }} run={() => preview.start(rule.value, ids, true)} />
          <Act
            class="primary"
            action={{ label: `Apply to ${count(ids.length, "conflict")}`, ...action(false) }}
            disabled={previewed ? "" : "look at the preview first"}
            run={async () => {
              try {
                await apply.start(rule.value, ids, false);
                preview.clear();
                select(new Set());
              } finally {
                done();
              }
            }}
          />
        </div>
      )}
      {preview.run && preview.run.key === keyOf(rule.value, ids) && !apply.run?.lines.length && <Preview run={preview.run} />}
      {apply.run && <Outcomes run={apply.run} close={apply.clear} />}
    </>
  );
}

/** Review notes on records that somebody has looked at them, one after the other. */
function Review({ ids, done, select }: Props & { ids: string[] }) {
  const progress = useSignal(0);
  if (ids.length === 0) return null;
  const calls = ids.map((id) => ({ base: base.value, method: "POST" as const, path: `/v1/conflicts/${id}/review` }));
  return (
    <div class="conflicts-line">
      <Act
        action={{ label: `Mark ${count(ids.length, "record")} as reviewed`, calls, command: command(base.value, "conflicts", "review", ...ids), scope: "resolve" }}
        run={async () => {
          try {
            for (const [i, call] of calls.entries()) {
              progress.value = i;
              await send(call);
            }
            select(new Set());
          } finally {
            progress.value = 0;
            done();
          }
        }}
      />
      {progress.value > 0 && <progress max={ids.length} value={progress.value} aria-label="reviewed so far" />}
    </div>
  );
}
