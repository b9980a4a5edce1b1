import { useState } from "preact/hooks";
import { ask } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { go, to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { AsOf } from "../parts/asof.tsx";
import { useAsk } from "../parts/ask.ts";
import { Copy } from "../parts/copy.tsx";
import { Sign } from "../parts/sign.tsx";
import { count } from "../parts/text.tsx";
import { Failed } from "../parts/trouble.tsx";
import { collections, type Collection } from "./shapes.ts";

/** mostCollections is how many are listed; the palette opens any other. */
const mostCollections = 200;

/** Collections lists what the node viewed has. */
export function Collections() {
  const { answer, again } = useAsk((signal) => ask(base.value, `/v1/collections?limit=${mostCollections}`, collections, signal), [base.value]);
  return (
    <>
      <h1>Data</h1>
      <p class="muted">Documents are kept in collections. What you see here is what {viewed.value || "this node"} has, by its own word.</p>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && (
        <>
          {answer.value.collections.length === 0 ? <Empty /> : <List list={answer.value.collections} />}
          {answer.value.next && <p class="muted">There are more. Open one by its name below.</p>}
          <AsOf at={answer.at} again={again} renewing={answer.renewing} />
        </>
      )}
      <Open />
    </>
  );
}

function List({ list }: { list: Collection[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Collections">
      <table>
        <thead>
          <tr>
            <th scope="col">collection</th>
            <th scope="col" class="number">
              documents
            </th>
            <th scope="col" class="number">
              deleted, still known
            </th>
            <th scope="col">in conflict</th>
            <th scope="col">policy</th>
            <th scope="col">keeps old versions</th>
          </tr>
        </thead>
        <tbody>
          {list.map((c) => (
            <tr>
              <th scope="row">
                <a href={to("data", [c.name])}>{c.name}</a>
              </th>
              <td class="number">{c.documents.toLocaleString("en")}</td>
              <td class="number">{c.tombstones.toLocaleString("en")}</td>
              <td>
                {c.conflicts > 0 ? (
                  <a class="badge" href={to("data", [c.name], { conflicted: "true" })}>
                    <Sign state="conflict" /> {count(c.conflicts, "document")}
                  </a>
                ) : (
                  <span class="muted">none</span>
                )}
              </td>
              <td>
                <a href={to("settings", [c.name])}>{c.policy.resolver ? `${c.policy.kind}: ${c.policy.resolver}` : c.policy.kind}</a>
              </td>
              <td>{c.history === "0s" ? <span class="muted">no</span> : c.history}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Empty() {
  return (
    <>
      <p>There are no documents yet. A collection begins with its first document:</p>
      <Copy label="copy command" text={command(base.value, "put", "accounts", "alice", '{"balance": 120}')} />
    </>
  );
}

/** Open goes to a document that is there, or that is to be made. */
function Open() {
  const [collection, setCollection] = useState("");
  const [id, setID] = useState("");
  return (
    <form
      class="data-open"
      onSubmit={(e) => {
        e.preventDefault();
        go(to("data", [collection, ...(id ? [id] : [])]));
      }}
    >
      <h2>Open or create a document</h2>
      <label>
        collection{" "}
        <input
          type="text"
          required
          pattern="[a-z0-9][a-z0-9_\-]*"
          title="small letters, digits, - and _"
          value={collection}
          onInput={(e) => setCollection(e.currentTarget.value)}
        />
      </label>
      <label>
        document <input type="text" value={id} onInput={(e) => setID(e.currentTarget.value)} />
      </label>
      <button type="submit">Open</button>
    </form>
  );
}
