import type { Reply } from "../api/call.ts";
import { parse, print, same } from "../api/exact.ts";
import { to } from "../frame/route.ts";
import { Act, type Action } from "../parts/act.tsx";
import { type Change, difference } from "../parts/difference.ts";
import { Json } from "../parts/text.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { carry } from "./carry.ts";
import type { Draft } from "./draft.ts";
import type { Now, Sibling } from "./shapes.ts";

interface Props {
  collided: { draft: Draft; now: Now };
  save: (draft: Draft) => Action;
  saved: (sent: Draft, replies: Reply[]) => void;
  again: (error: unknown) => boolean;
  take: () => void;
  put: (draft: Draft) => void;
}

/** Collision is a write that was refused since somebody else has written: what is there now beside what was opened and what was typed. */
export function Collision(props: Props) {
  const { draft, now } = props.collided;
  const alive = now.siblings.filter((s) => !s.deleted);
  const theirs = alive.length === 1 && now.siblings.length === 1 ? alive[0]?.doc : undefined;
  const newer: Draft = { ...draft, etag: now.siblings.length > 0 ? now.etag : "", context: now.context, opened: theirs === undefined ? "" : print(theirs, 2) };
  const mine = parse(draft.text);
  const opened = draft.opened ? parse(draft.opened) : undefined;
  const merged = theirs === undefined ? undefined : carry(theirs, difference(opened, theirs).changes, difference(opened, mine).changes);
  return (
    <Trouble what="Somebody else has written it" cause={causeOf(now.siblings)} remedy="Nothing was written and your text is kept. Compare, then choose.">
      {now.siblings.length > 1 && (
        <p>
          It is in conflict now: {now.siblings.length} live versions. {now.conflict && <a href={to("conflicts", [now.conflict])}>Open the conflict</a>}
        </p>
      )}
      {now.siblings.length <= 1 && <Sides opened={opened} theirs={theirs} mine={mine} />}
      <p class="data-bar">
        <Act action={{ ...props.save(newer), label: overLabel(now.siblings) }} done={(r) => props.saved(newer, r)} failed={props.again} />
        {merged !== undefined && (
          <button type="button" onClick={() => props.put({ ...newer, text: print(merged, 2) })}>
            Put my changes onto it
          </button>
        )}
        <button type="button" onClick={props.take}>
          Take what is there now
        </button>
      </p>
    </Trouble>
  );
}

function overLabel(siblings: Sibling[]): string {
  if (siblings.length === 0) return "Create it again with mine";
  return siblings.length > 1 ? "Write mine over all of them" : "Write mine over it";
}

function causeOf(siblings: Sibling[]): string {
  if (siblings.length === 0) return "The version that you began with is not there any more, and no other is.";
  const last = siblings.at(-1);
  return `You began with another version than is there now: ${last?.node} ${last?.deleted ? "deleted it" : "wrote it"} (version ${last?.dot}, ${last?.time}).`;
}

/** Sides has a row for each place that they or you have changed. */
function Sides({ opened, theirs, mine }: { opened: unknown; theirs: unknown; mine: unknown }) {
  const they = difference(opened, theirs).changes;
  const you = difference(opened, mine).changes;
  const paths = [...new Set([...they, ...you].map((c) => c.path))];
  const at = (changes: Change[], path: string): Change | undefined => changes.find((c) => c.path === path);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="What you opened, what is there now, and yours">
      <table class="changes">
        <thead>
          <tr>
            <th scope="col">at</th>
            <th scope="col">as you opened it</th>
            <th scope="col">there now</th>
            <th scope="col">yours</th>
            <th scope="col">changed by</th>
          </tr>
        </thead>
        <tbody>
          {paths.map((path) => {
            const t = at(they, path);
            const y = at(you, path);
            const before = (t ?? y)?.before;
            return (
              <tr>
                <th scope="row">
                  <bdi class="id">{path || "the whole"}</bdi>
                </th>
                <td>
                  <Json value={before} />
                </td>
                <td>
                  <Json value={t ? t.after : before} />
                </td>
                <td>
                  <Json value={y ? y.after : before} />
                </td>
                <td>{t && y ? (same(t.after, y.after) ? "both, alike" : "both") : t ? "them" : "you"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
