import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Call, Reply } from "../api/call.ts";
import { print } from "../api/exact.ts";
import { lines } from "../api/lines.ts";
import { command } from "../api/twin.ts";
import { base } from "../live/members.ts";
import { Act } from "../parts/act.tsx";
import { Json } from "../parts/text.tsx";
import { clockTime } from "../parts/time.tsx";
import type { Draft, Typed } from "./draft.ts";
import { type Seen } from "./look.ts";
import { useResolverNames } from "./names.ts";
import { textOf } from "./notices.tsx";
import { manyCall, manyCommand } from "./rule.ts";
import { type Conflict, outcome, type Outcome, type Side } from "./shapes.ts";
import { RunFacts } from "./why.tsx";

/** Deciding is what the buttons need of the screen around them. */
interface Deciding {
  seen: Seen;
  done: (what: string, replies: Reply[]) => void;
  failed: (error: unknown) => boolean;
}

const decision = (c: Conflict, action: string, body?: unknown, headers?: Record<string, string>): Call => ({
  base: base.value,
  method: "POST",
  path: `/v1/conflicts/${c.id}/${action}`,
  ...(body === undefined ? {} : { body }),
  ...(headers ? { headers } : {}),
});

/** sideName names a side; two of one node are told apart by their times. */
function sideName(c: Conflict, s: Side): string {
  const alone = c.siblings.filter((o) => !o.hidden && o.node === s.node).length === 1;
  return `${s.node}’s${alone ? "" : ` of ${clockTime(s.time, 3)}`}${s.deleted ? " deletion" : " value"}`;
}

/** Settle ends an open conflict: keep one, write another value, or let a resolver decide. */
export function Settle(props: Deciding & { draft: Draft; text: string; reason: string; type: (change: Partial<Typed>) => void }) {
  const { conflict: c } = props.seen;
  const why = props.reason.trim();
  const words = why ? ["--reason", why] : [];
  const settle = (body: Record<string, unknown>, ...flags: string[]) => ({
    calls: [decision(c, "resolve", { ...body, ...(why ? { reason: why } : {}) })],
    command: command(base.value, "conflicts", "resolve", c.id, ...flags, ...words),
    scope: "resolve" as const,
  });
  // The document goes out as it was typed: the node checks what a browser would overlook, such as a name that is there twice.
  const written = { ...settle({}, "--doc", props.text), calls: [decision(c, "resolve", `{"doc":${props.text}${why ? `,"reason":${print(why)}` : ""}}`)] };
  return (
    <section class="conflicts-decide" aria-label="End it">
      <h2>End it</h2>
      <div class="conflicts-actions">
        {c.siblings
          .filter((s) => !s.hidden)
          .map((s) => (
            <Act action={{ label: `Keep ${sideName(c, s)}`, ...settle({ pick: s.dot }, "--pick", s.dot) }} done={(r) => props.done(`kept ${sideName(c, s)}`, r)} failed={props.failed} />
          ))}
        <Act
          class="primary"
          action={{ label: "Write the result", ...written }}
          disabled={props.draft.fault ? `the result is not JSON: ${props.draft.fault}` : ""}
          done={(r) => props.done("wrote the result", r)}
          failed={props.failed}
        />
      </div>
      <ByResolver {...props} settle={settle} take={(doc) => props.type({ text: textOf(doc) })} />
      <label class="conflicts-reason">
        Why, for the record <input type="text" maxLength={1000} value={props.reason} onInput={(e) => props.type({ reason: e.currentTarget.value })} />
      </label>
    </section>
  );
}

type Settling = (body: Record<string, unknown>, ...flags: string[]) => { calls: Call[]; command: string; scope: "resolve" };

/** ByResolver lets a stored resolver decide, after it has shown what that makes of this conflict. */
function ByResolver(props: Deciding & { settle: Settling; take: (doc: unknown) => void }) {
  const { conflict: c } = props.seen;
  const names = useResolverNames();
  const chosen = useSignal(c.policy.resolver ?? "");
  const tried = useSignal<{ name: string; line: Outcome } | null>(null);
  const stop = useRef(new AbortController());
  if (names.length === 0) return null;
  const name = names.includes(chosen.value) ? chosen.value : (names[0] ?? "");
  const trial = tried.value?.name === name ? tried.value.line : null;
  const rule = `resolver=${name}`;
  const run = async () => {
    for await (const line of lines(manyCall(base.value, rule, [c.id], true), outcome, stop.current.signal)) {
      if (!line.done) tried.value = { name, line };
    }
  };
  return (
    <div class="conflicts-resolver">
      <div class="conflicts-actions">
        <label>
          resolver{" "}
          <select value={name} onChange={(e) => (chosen.value = e.currentTarget.value)}>
            {names.map((n) => (
              <option value={n}>{n}</option>
            ))}
          </select>
        </label>
        <Act action={{ label: "Try it", calls: [manyCall(base.value, rule, [c.id], true)], command: manyCommand(base.value, rule, [c.id], true), scope: "resolve" }} run={run} />
        <Act
          action={{ label: `Let ${name} decide`, ...props.settle({ resolver: name }, "--resolver", name) }}
          disabled={!trial ? "try it first" : trial.problem ? "it has no result" : ""}
          done={(r) => props.done(`let the resolver ${name} decide`, r)}
          failed={props.failed}
        />
      </div>
      {trial && <Trial line={trial} take={props.take} />}
    </div>
  );
}

/** Trial is what a resolver would make of the conflict; nothing was changed by it. */
function Trial({ line, take }: { line: Outcome; take: (doc: unknown) => void }) {
  return (
    <div class="conflicts-preview" role="status">
      {line.problem ? (
        <p class="warn">
          It has no result: <bdi>{line.problem.detail}</bdi>
        </p>
      ) : (
        <p>
          It would make it {line.verdict === "delete" ? <strong>deleted</strong> : <Json value={line.doc} />}
          {line.same && ", as it is shown now"}. Nothing was changed.{" "}
          {line.doc !== undefined && (
            <button type="button" class="link" onClick={() => take(line.doc)}>
              take it into the result
            </button>
          )}
        </p>
      )}
      {line.run && (
        <dl>
          <RunFacts run={line.run} />
        </dl>
      )}
    </div>
  );
}

/** Undo is what can be done with one that has ended: bring a value back, take the policy's back, or say that it was looked at. */
export function Undo(props: Deciding) {
  const { conflict: c, etag } = props.seen;
  const guard = etag ? { "If-Match": etag } : undefined;
  const flags = etag ? ["--if-match", etag] : [];
  const automatic = c.by === "policy" || c.by === "script";
  return (
    <section class="conflicts-decide" aria-label="Take it back">
      <h2>Take it back</h2>
      <div class="conflicts-actions">
        {c.siblings
          .filter((s) => !s.hidden)
          .map((s) => (
            <Act
              action={{
                label: `Restore ${sideName(c, s)}`,
                calls: [decision(c, "restore", { dot: s.dot }, guard)],
                command: command(base.value, "conflicts", "restore", c.id, s.dot, ...flags),
                scope: "resolve",
              }}
              disabled={!s.deleted && s.doc === null ? "its value is not kept here" : ""}
              done={(r) => props.done(`restored ${sideName(c, s)}`, r)}
              failed={props.failed}
            />
          ))}
        <Act
          action={{ label: "Revert to the newest", calls: [decision(c, "revert", undefined, guard)], command: command(base.value, "conflicts", "revert", c.id, ...flags), scope: "resolve" }}
          disabled={automatic ? "" : `it was not ended by a policy but ${c.by === "person" ? "by a person" : "by a write over it"}`}
          done={(r) => props.done("took the policy's result back", r)}
          failed={props.failed}
        />
        {c.state === "settled" && (
          <Act
            action={{ label: "Mark as reviewed", calls: [decision(c, "review")], command: command(base.value, "conflicts", "review", c.id), scope: "resolve" }}
            done={(r) => props.done("marked it as reviewed", r)}
            failed={props.failed}
          />
        )}
      </div>
    </section>
  );
}
