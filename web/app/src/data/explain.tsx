import { ask } from "../api/call.ts";
import { to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";
import { count, Id, Json } from "../parts/text.tsx";
import { clockTime } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { explanation, type Explanation } from "./shapes.ts";

/** Explain tells why the document shows what it shows. */
export function Explain({ path, etag }: { path: string; etag: string }) {
  const { answer, again } = useAsk(async (signal) => (etag ? ask(base.value, `${path}/explain`, explanation, signal) : null), [base.value, path, etag]);
  return (
    <>
      <h2>Why this value</h2>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && (answer.value ? <Said e={answer.value} /> : <p class="muted">There is no version here to explain.</p>)}
    </>
  );
}

function Said({ e }: { e: Explanation }) {
  const { kind, resolver } = e.policy;
  return (
    <>
      <p>
        Policy {resolver ? <a href={to("resolvers", [resolver])}>{`${kind}: ${resolver}`}</a> : kind}
        {e.policy.version === null && " (the default)"}. <bdi>{e.reason}</bdi>
      </p>
      {e.conflict && (
        <p>
          <a class="badge" href={to("conflicts", [e.conflict])}>
            Open the conflict
          </a>
        </p>
      )}
      {e.waits && <p>It waits: {e.waits}</p>}
      {e.waits_for.length > 0 && (
        <ul>
          {e.waits_for.map((w) => (
            <li>
              {w.node} is not known to have {count(w.lacks.length, "version")}
            </li>
          ))}
        </ul>
      )}
      {e.conflict && <Lost e={e} />}
      {!e.stable && <p class="muted">Not every node is known to have it yet.</p>}
    </>
  );
}

/** Lost is what of each version is not in the value shown. */
function Lost({ e }: { e: Explanation }) {
  return (
    <ul>
      {e.siblings.map((s) => (
        <li>
          <Id value={s.dot} />, {s.node} at <time title={s.time}>{clockTime(s.time, 1)}</time>
          {s.dot === e.shown.dot ? ": shown" : s.deleted ? ": a deletion" : ""}
          {s.lost.map((l) => (
            <span class="data-lost">
              not in the value shown: <bdi class="id">{l.path || "the whole"}</bdi> <Json value={l.value} />
            </span>
          ))}
        </li>
      ))}
      {e.lost_more > 0 && <li class="muted">and {count(e.lost_more, "member")} more</li>}
    </ul>
  );
}
