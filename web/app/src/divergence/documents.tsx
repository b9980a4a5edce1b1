import { useState } from "preact/hooks";
import { command } from "../api/twin.ts";
import { segment } from "../api/call.ts";
import { to } from "../frame/route.ts";
import type { Member } from "../live/members.ts";
import { Twins } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { Changes } from "../parts/changes.tsx";
import { difference } from "../parts/difference.ts";
import { Id, Json } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { compare, mostListed, valueAt } from "./compare.ts";
import type { Copy, Differing } from "./shapes.ts";

/** Documents are those that differ between two nodes right now. */
export function Documents({ here, others }: { here: Member; others: Member[] }) {
  const [name, choose] = useState(others[0]?.name ?? "");
  const there = others.find((m) => m.name === name) ?? others[0];
  return (
    <section aria-labelledby="divergence-documents">
      <h2 id="divergence-documents">
        Documents that differ between {here.name} and{" "}
        <select aria-label="the other node" value={there?.name} onChange={(e) => choose(e.currentTarget.value)}>
          {others.map((m) => (
            <option>{m.name}</option>
          ))}
        </select>
      </h2>
      {there ? <Listed here={here} there={there} /> : <p class="muted">There is no other data node.</p>}
    </section>
  );
}

function Listed({ here, there }: { here: Member; there: Member }) {
  const { answer, again } = useAsk((signal) => compare(here, there, signal), [here.base, there.base]);
  if (answer.state === "asking") return <p class="muted">comparing …</p>;
  if (answer.state === "failed") return <Failed error={answer.error} at={answer.at} retry={again} />;
  const { documents, more, how } = answer.value;
  return (
    <>
      <p class="muted" role="status">
        {documents.length === 0 ? "No document differs." : `${more ? `The first ${documents.length}` : documents.length} that differ.`} {how}, <Ago at={answer.at} />.{" "}
        <button type="button" class="link" onClick={again}>
          compare again
        </button>
        <Twins
          calls={[{ base: here.base, method: "GET", path: `/v1/cluster/divergence/keys?node=${segment(there.name)}&limit=${mostListed}` }]}
          command={command(here.base, "verify")}
        />
      </p>
      <ul class="divergence-list">
        {documents.map((d) => (
          <One key={`${d.collection}/${d.id}`} here={here} there={there} document={d} />
        ))}
      </ul>
      {more && <p class="muted">There are more. The list shows at most {mostListed}.</p>}
    </>
  );
}

const words = (copy: Copy | null): string => (copy === null ? "nothing" : copy.deleted ? "deleted" : copy.dots.length !== 1 ? "several versions" : "");

function One({ here, there, document: d }: { here: Member; there: Member; document: Differing }) {
  const [open, setOpen] = useState(false);
  const side = (m: Member, copy: Copy | null) => (
    <span>
      {m.name}: {words(copy) || <Id value={copy?.dots[0] ?? ""} />}
    </span>
  );
  return (
    <li>
      <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
        <bdi>
          {d.collection}/{d.id.length > 60 ? `${d.id.slice(0, 60)}…` : d.id}
        </bdi>
      </button>{" "}
      {side(here, d.here)} · {side(there, d.there)}
      {open && <Values here={here} there={there} document={d} />}
    </li>
  );
}

function Values({ here, there, document: d }: { here: Member; there: Member; document: Differing }) {
  const { answer, again } = useAsk((signal) => Promise.all([valueAt(here, d, signal), valueAt(there, d, signal)]), [here.base, there.base, d.collection, d.id]);
  if (answer.state === "asking") return <p class="muted">asking both …</p>;
  if (answer.state === "failed") return <Failed error={answer.error} at={answer.at} retry={again} />;
  const [a, b] = answer.value;
  return (
    <div class="divergence-values">
      {[
        { m: here, v: a },
        { m: there, v: b },
      ].map(({ m, v }) => (
        <div>
          <h3>{m.name} shows</h3>
          {v.why ? <span class="muted">{v.why}</span> : <Json value={v.value} indent={2} />}
        </div>
      ))}
      {!a.why && !b.why && <Changes caption={`${here.name} and ${there.name}`} of={difference(a.value, b.value)} before={here.name} after={there.name} />}
      <a href={to("data", [d.collection, d.id])}>Open the document</a>
    </div>
  );
}
