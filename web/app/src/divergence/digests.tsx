import { useEffect, useRef } from "preact/hooks";
import { ask, type Call } from "../api/call.ts";
import { sameFrontier, type Verify, verify } from "../api/verify.ts";
import { dataNodes, told, type Member } from "../live/members.ts";
import { Twins } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { count, Id } from "../parts/text.tsx";
import { Ago, clockTime } from "../parts/time.tsx";
import { faultOf, Trouble } from "../parts/trouble.tsx";

/** Said is one node's digests, or why it told none. */
interface Said {
  node: string;
  base: string;
  digests: Verify | null;
  error: unknown;
}

/** Finding is what the digests of all nodes say together. */
interface Finding {
  is: "identical" | "different" | "not yet" | "unknown";
  words: string;
}

/** findingOf says "identical" only when all answered, nothing is on its way, the frontiers are equal, and so the digests must be. */
export function findingOf(said: readonly { node: string; digests: Verify | null }[]): Finding {
  const silent = said.filter((s) => !s.digests).map((s) => s.node);
  if (silent.length > 0) return { is: "unknown", words: `Unknown: ${silent.join(" and ")} did not answer.` };
  const all = said.flatMap((s) => (s.digests ? [s.digests] : []));
  const [first] = all;
  if (!first) return { is: "unknown", words: "Unknown: there is no data node." };
  const loose = all.filter((v) => v.loose > 0).map((v) => v.node);
  if (loose.length > 0) return { is: "not yet", words: `Not comparable yet: writes are on their way to ${loose.join(" and ")}.` };
  if (all.some((v) => !sameFrontier(v.frontier, first.frontier))) return { is: "not yet", words: "Not comparable yet: the nodes have not had the same writes." };
  const names = new Set(all.flatMap((v) => [...v.collections.keys()]));
  const bad = [...names].filter((name) => all.some((v) => contents(v, name) !== contents(first, name)));
  if (bad.length > 0) return { is: "different", words: `Digests of ${bad.join(", ")} differ at equal frontiers.` };
  return { is: "identical", words: `Identical: ${said.length} nodes have the same writes and the same documents.` };
}

/** contents is what must be equal of a collection; tombstones may differ. One that was never written to is an empty one. */
function contents(v: Verify, name: string): string {
  const c = v.collections.get(name);
  return c && c.documents > 0 ? `${c.digest} ${c.documents}` : "";
}

/** behind is how many writes all nodes together lack now, or null when that is not known. */
function behind(): number | null {
  let sum = 0;
  for (const m of dataNodes.value) {
    for (const p of told(m)?.node?.peers ?? [null]) {
      if (p?.node_lacks.versions == null) return null;
      sum += p.node_lacks.versions;
    }
  }
  return sum;
}

/** Digests are those of every node side by side, when they were asked for, and what they mean. */
export function Digests() {
  const nodes = dataNodes.value;
  const { answer, again } = useAsk((signal) => Promise.all(nodes.map((m) => digestsOf(m, signal))), [nodes]);
  const now = behind();
  const was = useRef(now);
  useEffect(() => {
    if (now === 0 && was.current !== 0) again(); // all has arrived: now it can be compared
    was.current = now;
  }, [now]);
  const calls: Call[] = nodes.map((m) => ({ base: m.base, method: "GET", path: "/v1/verify" }));
  return (
    <section aria-labelledby="divergence-digests">
      <h2 id="divergence-digests">Digests</h2>
      <p>
        <span class="act">
          <button type="button" onClick={again} aria-busy={answer.state === "here" && answer.renewing}>
            Verify now
          </button>
          <Twins calls={calls} command={["syncline", ...nodes.flatMap((m) => ["--node", m.base]), "verify"].join(" ")} />
        </span>
      </p>
      {answer.state === "asking" && <p class="muted">asking every node for its digests …</p>}
      {answer.state === "here" && <Compared said={answer.value} at={answer.at} behind={now} />}
    </section>
  );
}

async function digestsOf(m: Member, signal: AbortSignal): Promise<Said> {
  try {
    return { node: m.name, base: m.base, digests: await ask(m.base, "/v1/verify", verify, signal), error: null };
  } catch (error) {
    if (signal.aborted) throw error;
    return { node: m.name, base: m.base, digests: null, error };
  }
}

function Compared({ said, at, behind }: { said: Said[]; at: number; behind: number | null }) {
  const finding = findingOf(said);
  const names = [...new Set(said.flatMap((s) => [...(s.digests?.collections.keys() ?? [])]))].sort();
  return (
    <>
      {finding.is === "different" ? (
        <Trouble what="The nodes differ" cause={finding.words} since={at} remedy="This must not be: keep the data folders, run `syncline verify` at each node, and report it." />
      ) : (
        <p role="status" class={finding.is === "identical" && behind === 0 ? "good" : ""}>
          {finding.words}{" "}
          <span class="muted">
            As of {clockTime(at)}, <Ago at={at} />.{finding.is === "identical" && behind !== 0 && " Since then nodes have written, or cannot be asked."}
          </span>
        </p>
      )}
      <div class="scroll" tabIndex={0} role="region" aria-label="Digests of every node">
        <table>
          <thead>
            <tr>
              <th scope="col">collection</th>
              {said.map((s) => (
                <th scope="col">{s.node}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr>
                <th scope="row">
                  <bdi>{name}</bdi>
                </th>
                {said.map((s) => (
                  <Digest said={s} name={name} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {names.length === 0 && <p class="muted">No documents yet. Write one: syncline put accounts alice '{`{"balance":120}`}'</p>}
    </>
  );
}

function Digest({ said, name }: { said: Said; name: string }) {
  if (!said.digests) return <td class="muted" title={faultOf(said.error).cause}>? no answer</td>;
  const c = said.digests.collections.get(name);
  if (!c) return <td class="muted">no documents</td>;
  return (
    <td>
      <Id value={c.digest} most={14} /> {count(c.documents, "document")}
      {c.conflicts > 0 && `, ${count(c.conflicts, "conflict")}`}
    </td>
  );
}
