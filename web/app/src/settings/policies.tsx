import { useState } from "preact/hooks";
import { ask } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { go, to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";
import { Copy } from "../parts/copy.tsx";
import { Sign } from "../parts/sign.tsx";
import { bytes, count } from "../parts/text.tsx";
import { Failed } from "../parts/trouble.tsx";
import { type Collection, collections } from "./shapes.ts";

/** mostCollections is how many are listed; any other is opened by its name. */
const mostCollections = 200;

/** Policies lists the collections with the rules by which each works. */
export function Policies() {
  const { answer, again } = useAsk((signal) => ask(base.value, `/v1/collections?limit=${mostCollections}`, collections, signal), [base.value]);
  return (
    <>
      <h2>Collections and policies</h2>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && (answer.value.collections.length > 0 ? <List list={answer.value.collections} /> : <Empty />)}
      <Another />
    </>
  );
}

/** policyWords is a policy in words. */
export function policyWords(p: Collection["policy"]): string {
  const rules = p.rules?.size ? `, ${count(p.rules.size, "rule")}` : "";
  if (p.kind === "script") return `script: ${p.resolver}`;
  if (p.kind === "lww") return (p.path ? `the largest ${p.path} wins` : "the last writer wins (lww)") + rules;
  if (p.kind === "manual") return `manual: a person decides${rules}`;
  return `${p.kind}${rules}`;
}

function List({ list }: { list: Collection[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Collections and policies">
      <table class="settings-wide">
        <thead>
          <tr>
            {["collection", "a conflict ends by", "a delete beside an update", "without a majority", "writers must say what they saw", "old versions kept", "records kept", "longest document", "in conflict"].map((h) => (
              <th scope="col">{h}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {list.map((c) => (
            <tr>
              <th scope="row">
                <a href={to("settings", [c.name])}>{c.name}</a>
                {c.etag === null && <span class="muted"> (defaults)</span>}
              </th>
              <td>{policyWords(c.policy)}</td>
              <td>{c.delete}</td>
              <td>{c.minority === "accept" ? "takes writes" : "refuses writes"}</td>
              <td>{c.require_context ? "yes" : "no"}</td>
              <td>{c.history}</td>
              <td>{c.records}</td>
              <td>{bytes(c.limits.body)}</td>
              <td>{c.conflicts > 0 ? <Sign state="conflict" word={count(c.conflicts, "document")} /> : <span class="muted">none</span>}</td>
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
      <p>There is no collection yet. One needs no configuration, and works by the defaults until it has one:</p>
      <Copy label="copy command" text={command(base.value, "collections", "set", "accounts", "--policy", "manual")} />
    </>
  );
}

function Another() {
  const [name, type] = useState("");
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        go(to("settings", [name]));
      }}
    >
      <label>
        configure another{" "}
        <input type="text" required pattern="[a-z0-9][a-z0-9_\-]*" title="small letters, digits, - and _" placeholder="collection" value={name} onInput={(e) => type(e.currentTarget.value)} />
      </label>{" "}
      <button type="submit">Open</button>
    </form>
  );
}
