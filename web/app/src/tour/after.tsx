import { useEffect } from "preact/hooks";
import { ask } from "../api/call.ts";
import { examples } from "../api/shapes.ts";
import { to } from "../frame/route.ts";
import type { Member } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";
import { Sign } from "../parts/sign.tsx";
import { Id } from "../parts/text.tsx";
import { span } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { facts } from "./account.ts";
import * as acts from "./acts.ts";
import { story } from "./kept.ts";
import { type Conflict } from "./shapes.ts";
import type { Stage } from "./stage.ts";
import { Do, Step } from "./step.tsx";
import { balanceOf, lostBy, Three } from "./three.tsx";

interface Of {
  at: Stage;
  a: Member;
  b: Member;
}

/** wrong and right are the rules that the tour tries. */
const wrong = "sum_deltas";
const right = "no_overdraft";

/** endedBy says who has ended a conflict. */
const endedBy: Record<string, string> = { policy: "by the policy", script: "by a resolver", person: "by a person", overwritten: "by a later write" };

/** After are the steps once the link is healed. */
export function After(of: Of) {
  return (
    <>
      <MeetStep {...of} />
      <DecideStep {...of} />
      <DoneStep {...of} />
    </>
  );
}

function MeetStep({ at, a, b }: Of) {
  const lags = (
    <ul class="tour-lags">
      {story.value.lags.map((l) => (
        <li>
          {span(l.after)} after healing {l.lacks}
        </li>
      ))}
    </ul>
  );
  return (
    <Step name="meet" at={at} title="Both sides get what they lack" past={lags}>
      <p role="status">
        {a.name} and {b.name} send each other what the other lacks. The lag counts down to 0.
      </p>
      {lags}
    </Step>
  );
}

function DecideStep({ at, a }: Of) {
  const open = facts.value?.conflict ?? null;
  const about = open ?? story.value.settled ?? story.value.conflict;
  const shown = about && balanceOf((about.shown ?? about.result)?.doc);
  return (
    <Step name="decide" at={at} title="1 conflict: what shall the balance be?" past={story.value.tried.map((t) => <Outcome rule={t.rule} />)}>
      {about && (
        <>
          <p>
            <Sign state="conflict" word="1 conflict" />. Last-write-wins shows <strong>{shown}</strong>: {lostBy(about, shown)} is lost. Nothing is decided yet, and both versions are kept.
          </p>
          <Three conflict={about} />
          <p>
            <a href={to("conflicts", [about.id])}>
              Open it in the inbox: <Id value={about.id} />
            </a>
            , with the space-time diagram.
          </p>
          {open && <Tries base={a.base} open={open} />}
        </>
      )}
    </Step>
  );
}

/** Tries are the rules, to try and then to apply. */
function Tries({ base, open }: { base: string; open: Conflict }) {
  const { answer, again } = useAsk((signal) => ask(base, "/v1/examples/resolvers", examples, signal), [base]);
  if (answer.state === "asking") return <p class="muted">loading the rules that come with the program …</p>;
  if (answer.state === "failed") return <Failed error={answer.error} at={answer.at} retry={again} />;
  const tried = story.value.tried;
  const ready = tried.some((t) => t.rule === right && t.balance !== null);
  return (
    <>
      {[wrong, right].map((rule) => {
        const example = answer.value.resolvers.find((r) => r.name === rule);
        if (!example) return <p class="muted">This node's program has no {rule}.</p>;
        return (
          <section class="tour-rule" aria-label={rule}>
            <h3>
              <code>{rule}</code>
            </h3>
            <p class="muted">{example.about}</p>
            {tried.some((t) => t.rule === rule) ? (
              <Outcome rule={rule} />
            ) : (
              <Do
                stage="decide"
                label={`Try ${rule}`}
                busy={`trying ${rule}`}
                calls={acts.tryCalls(base, rule, example.source, open.id)}
                command={acts.tryCommand(base, rule)}
                work={() => acts.tryRule(rule, example.source, open)}
                quiet={rule === right && !tried.length}
              />
            )}
          </section>
        );
      })}
      {ready && (
        <Do
          stage="decide"
          label={`Apply ${right}`}
          busy={`${right} decides, then both nodes are compared`}
          calls={acts.applyCalls(base, open.id, right)}
          command={acts.applyCommand(base, open.id, right)}
          work={() => acts.apply(right, open)}
        />
      )}
    </>
  );
}

/** Outcome is what a rule would have made of it. */
function Outcome({ rule }: { rule: string }) {
  const tried = story.value.tried.find((t) => t.rule === rule);
  if (!tried) return null;
  const overdraft = tried.balance !== null && tried.balance < 0;
  return (
    <p>
      <code>{rule}</code>, as a dry run: <strong>{tried.balance ?? "no value"}</strong>
      {overdraft && <>, an overdraft: this is not the bank's rule.</>}
      {tried.rejected && (
        <>
          {" "}
          with {tried.rejected} in <code>rejected</code>: {tried.notes.join("; ")}.
        </>
      )}
    </p>
  );
}

function DoneStep({ at, a, b }: Of) {
  const { settled, conflict, digests, equal } = story.value;
  useEffect(() => {
    // Somebody else has ended it, or the page was reloaded in between.
    if (at === "done" && conflict && (!settled || digests.length === 0)) void acts.perform("done", "comparing both nodes", () => acts.finish(conflict));
  }, [at, conflict?.id]);
  const balance = facts.value?.sides[0]?.balance;
  const same = facts.value?.sides[1]?.balance === balance;
  return (
    <Step name="done" at={at} title="Both show the same">
      {settled && (
        <p>
          {same ? `Both show ${balance}` : "The nodes do not show the same yet"}. The conflict is {settled.state}{settled.by && ` ${endedBy[settled.by] ?? settled.by}`}: {settled.reason}. Its record keeps both acknowledged values,{" "}
          {settled.siblings.map((s) => `${balanceOf(s.doc)} of ${s.node}`).join(" and ")}, and <a href={to("conflicts", [settled.id])}>any of them can be restored</a>.
        </p>
      )}
      {digests.length > 0 && (
        <>
          <p>{equal ? <strong class="good">The digests are equal, at equal frontiers.</strong> : <strong class="warn">The digests were not equal yet when they were compared.</strong>}</p>
          <ul>
            {digests.map((d) => (
              <li>
                {d.node} <Id value={d.digest} />
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>Free play</h3>
      <ul>
        <li>
          <a href={to("chaos")}>Break it yourself</a>: cut links one way, let them flap, run a script to its verdict.
        </li>
        <li>
          <a href={to("data", ["tour", "alice"])}>Write documents</a> while the link is cut, and look at them at both nodes.
        </li>
        <li>
          <a href={to("conflicts")}>Settle what comes of it</a>, by hand or by a rule.
        </li>
      </ul>
      <Do stage="done" label="Begin again" busy={`writing at ${a.name}, waiting for ${b.name}`} calls={acts.openCalls([a, b])} command={acts.openCommand([a, b])} work={acts.open} quiet />
    </Step>
  );
}
