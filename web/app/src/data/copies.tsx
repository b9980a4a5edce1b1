import { connection, dataNodes, stateOf } from "../live/members.ts";
import { Sign } from "../parts/sign.tsx";
import { Id } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import type { Copy } from "./stored.ts";

/** Copies says which node has which version now. Each is asked itself. */
export function Copies({ copies }: { copies: Copy[] }) {
  const known = copies.filter((c) => c.state !== "unknown");
  const alike = new Set(known.map((c) => c.etag)).size <= 1;
  return (
    <>
      <h2>Which node has which version now</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Which node has which version now">
        <table>
          <thead>
            <tr>
              <th scope="col">node</th>
              <th scope="col">has</th>
              <th scope="col">live versions</th>
            </tr>
          </thead>
          <tbody>
            {copies.map((c) => (
              <One copy={c} />
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted" role="status">
        {verdict(copies, known.length, alike)}
      </p>
    </>
  );
}

function verdict(copies: Copy[], known: number, alike: boolean): string {
  if (copies.length === 0) return "asking each node …";
  if (!alike) return "They differ: a version is on its way, or a link is cut.";
  if (known < copies.length) return `Those that answer have the same; of ${copies.length - known} nothing is known.`;
  return "All have the same.";
}

function One({ copy }: { copy: Copy }) {
  const member = dataNodes.value.find((m) => m.name === copy.name);
  const lost = member && connection(member);
  return (
    <tr>
      <th scope="row">
        {member && <Sign state={stateOf(member)} />} {copy.name}
      </th>
      {copy.state === "unknown" ? (
        <td colSpan={2}>
          ? unknown since <Ago at={lost?.state === "lost" ? Math.min(lost.since, copy.since) : copy.since} plain />: {copy.why}
        </td>
      ) : (
        <>
          <td>{copy.etag ? <Id value={copy.etag} most={28} /> : "nothing"}{copy.state === "absent" && copy.etag && " (deleted)"}</td>
          <td>{copy.versions > 1 ? <Sign state="conflict" word={`${copy.versions}, in conflict`} /> : copy.etag ? 1 : 0}</td>
        </>
      )}
    </tr>
  );
}
