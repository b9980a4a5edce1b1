import { useState } from "preact/hooks";
import { ask, type Reply, send } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { Act, type Action } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { Changes } from "../parts/changes.tsx";
import { guard, guardWords } from "../parts/drafts.ts";
import { bytes, Id } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { whyNot } from "../parts/writing.tsx";
import { Graph, stateWords } from "./graph.tsx";
import { changes, history, type History as Page, type Version } from "./shapes.ts";
import { pathOf, type Stored } from "./stored.ts";

/** mostVersions is how many versions are drawn and listed, the newest. */
const mostVersions = 60;

interface Props {
  collection: string;
  id: string;
  stored: Stored;
  renewing: boolean; // the document is being read anew after a change of this page
  now: string; // ETag of what the node viewed shows now
  writes: string;
  changed: () => void;
}

/** History is what the node viewed has seen of a document. */
export function History(props: Props) {
  const path = pathOf(props.collection, props.id);
  const { answer, again } = useAsk(async (signal) => (props.now ? ask(base.value, `${path}/history?limit=${mostVersions}`, history, signal) : null), [base.value, path, props.now]);
  return (
    <section>
      <h2>History</h2>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && answer.value === null && <p class="muted">{viewed.value} has seen no version of it.</p>}
      {answer.state === "here" && answer.value && <Shown {...props} page={answer.value} />}
    </section>
  );
}

function Shown(props: Props & { page: Page }) {
  const { versions, complete, missing, next } = props.page;
  const [pair, choose] = useState<[string, string]>([versions[1]?.dot ?? "", versions[0]?.dot ?? ""]);
  const [read, setRead] = useState("");
  return (
    <>
      <Graph versions={versions} chosen={pair} />
      {versions.length === 1 && (
        <p class="muted">
          Only the version that is shown is kept. A collection keeps old ones for the time of its setting <a href={to("settings", [props.collection])}>history</a>.
        </p>
      )}
      {!complete && (
        <p>
          {viewed.value} does not have all that these versions name{missing.length > 0 && `: it lacks ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? " …" : ""}`}.
        </p>
      )}
      <div class="scroll" tabIndex={0} role="region" aria-label="Versions">
        <table class="data-versions">
          <thead>
            <tr>
              <th scope="col">compare</th>
              <th scope="col">version</th>
              <th scope="col">written</th>
              <th scope="col">size</th>
              <th scope="col">state</th>
              <th scope="col">
                <span class="hidden">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {versions.map((v) => (
              <One {...props} version={v} live={versions.filter((one) => one.live).length} pair={pair} choose={choose} read={() => setRead(read === v.dot ? "" : v.dot)} reading={read === v.dot} />
            ))}
          </tbody>
        </table>
      </div>
      {next && <p class="muted">There are older ones: {command(base.value, "history", props.collection, props.id)}</p>}
      {read && <Old path={pathOf(props.collection, props.id)} dot={read} />}
      {pair[0] && pair[1] && <Compare path={pathOf(props.collection, props.id)} pair={pair} />}
    </>
  );
}

interface OneProps extends Props {
  version: Version;
  live: number;
  pair: [string, string];
  choose: (pair: [string, string]) => void;
  read: () => void;
  reading: boolean;
}

function One({ version: v, live, pair, choose, read, reading, ...props }: OneProps) {
  const side = (i: 0 | 1, name: string) => (
    <label>
      <input type="radio" name={`compare-${name}`} checked={pair[i] === v.dot} onChange={() => choose(i === 0 ? [v.dot, pair[1]] : [pair[0], v.dot])} /> <span class="hidden">{`${v.dot} as `}</span>
      {name}
    </label>
  );
  return (
    <tr>
      <td class="data-pair">
        {side(0, "before")} {side(1, "after")}
      </td>
      <th scope="row">
        <Id value={v.dot} />
      </th>
      <td>
        {v.node}, <Ago at={v.time} />
      </td>
      <td>{v.deleted ? "deletion" : bytes(v.size)}</td>
      <td>
        {stateWords(v, live)}
        {v.record && (
          <>
            , <a href={to("conflicts", [v.record])}>was in a conflict</a>
          </>
        )}
      </td>
      <td>
        {!v.deleted && (
          <>
            <button type="button" class="link" aria-expanded={reading} onClick={read}>
              read
            </button>{" "}
            {(!v.live || live > 1) && <Restore {...props} dot={v.dot} />}
          </>
        )}
      </td>
    </tr>
  );
}

function Restore({ collection, id, stored, dot, writes, renewing, changed }: Props & { dot: string }) {
  // Of a deletion there is no value that If-Match could name.
  const seen = stored.gone
    ? { headers: { "Causal-Context": stored.context }, words: ["--context", stored.context] }
    : { headers: guard(stored.etag, stored.context), words: guardWords(stored.etag, stored.context) };
  const action: Action = {
    label: "Restore",
    calls: [{ base: base.value, method: "POST", path: `${pathOf(collection, id)}/restore`, body: { dot }, headers: seen.headers }],
    command: command(base.value, "revive", collection, id, dot, ...seen.words),
    scope: "write",
  };
  return <Act action={action} disabled={whyNot(writes) || (renewing ? "reading it again" : "")} done={(_: Reply[]) => changed()} />;
}

/** Old shows an old version as it was stored. */
function Old({ path, dot }: { path: string; dot: string }) {
  const { answer, again } = useAsk((signal) => send({ base: base.value, method: "GET", path: `${path}?dot=${encodeURIComponent(dot)}` }, signal), [base.value, path, dot]);
  return (
    <>
      <h3>
        Version <Id value={dot} />
      </h3>
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && (
        <pre class="data-old" tabIndex={0}>
          <bdi>{answer.value.text}</bdi>
        </pre>
      )}
    </>
  );
}

/** Compare asks the node how two versions differ. */
function Compare({ path, pair: [from, until] }: { path: string; pair: [string, string] }) {
  const { answer, again } = useAsk((signal) => ask(base.value, `${path}/history?diff=${encodeURIComponent(`${from}..${until}`)}`, changes, signal), [base.value, path, from, until]);
  return (
    <>
      <h3>
        From <Id value={from} /> to <Id value={until} />
      </h3>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && <Changes caption="How the two versions differ" of={answer.value} />}
    </>
  );
}
