import type { Difference } from "./difference.ts";
import { Json } from "./text.tsx";

/** kindOf is what happened at a place, in a word: colour alone would not say it. */
const kindOf = (before: unknown, after: unknown): string => (before === undefined ? "added" : after === undefined ? "removed" : "changed");

/** Changes is a difference as a table, a row for each JSON pointer. */
export function Changes({ caption, of, before = "before", after = "after" }: { caption: string; of: Difference; before?: string; after?: string }) {
  if (of.changes.length === 0) return <p class="muted">No difference.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="changes">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">at</th>
            <th scope="col">what</th>
            <th scope="col">{before}</th>
            <th scope="col">{after}</th>
          </tr>
        </thead>
        <tbody>
          {of.changes.map((c) => (
            <tr>
              <th scope="row">
                <bdi class="id">{c.path || "the whole"}</bdi>
              </th>
              <td>{kindOf(c.before, c.after)}</td>
              <td class={c.after === undefined ? "gone" : ""}>
                <Json value={c.before} />
              </td>
              <td>
                <Json value={c.after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {of.more && <p class="muted">There are more than are listed.</p>}
    </div>
  );
}
