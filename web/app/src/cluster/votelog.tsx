import { members, told } from "../live/members.ts";
import { Rows } from "../parts/rows.tsx";
import { clockTime } from "../parts/time.tsx";

/** Reasons for which a vote is refused, in words. */
const reasons: Record<string, string> = {
  epoch: "another cluster, roster or timing",
  stale: "the request was not fresh: it asks again",
  boot: "the voter started lately and waits for old promises to end",
  busy: "the voter has too many requests in hand",
  behind: "who asked is not fit to write, by its own word",
  ineligible: "too few nodes on that side",
  other: "another side has the vote or is preferred",
  catching_up: "the voter still fetches what it lacks",
  duplicate: "a newer process runs under that name",
};

/** row is the height of one line, in pixels. */
const row = 28;

/** VoteLog lists grants, refusals and expiries as each process tells them, the newest first. */
export function VoteLog() {
  const all = members.value.flatMap((m) => (told(m)?.votes.log ?? []).map((e) => ({ by: m.name, ...e }))).sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
  return (
    <details class="cluster-log">
      <summary>Log of votes: grants, refusals and expiries with their reasons</summary>
      {all.length === 0 ? (
        <p class="muted">No vote was asked for yet.</p>
      ) : (
        <Rows
          label="Log of votes"
          items={all}
          height={row}
          row={(e) => (
            <>
              <time dateTime={e.time} title={e.time}>
                {clockTime(e.time, 1)}
              </time>{" "}
              <b>{e.kind}</b> of {e.voter}’s vote to {e.to}
              {e.reason && <>: {reasons[e.reason] ?? e.reason}</>} <span class="muted">({e.by} says)</span>
            </>
          )}
        />
      )}
    </details>
  );
}
