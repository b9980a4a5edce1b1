import { useEffect, useState } from "preact/hooks";
import { command } from "../api/twin.ts";
import { go, route, to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { AsOf } from "../parts/asof.tsx";
import { Copy } from "../parts/copy.tsx";
import { Rows } from "../parts/rows.tsx";
import { Sign } from "../parts/sign.tsx";
import { count, Id } from "../parts/text.tsx";
import { Failed } from "../parts/trouble.tsx";
import { Export } from "./export.tsx";
import { type Pages, type Row, usePages } from "./pages.ts";

/** rowHeight is that of one document in the list, in pixels. */
const rowHeight = 32;
/** typingPause is how long nothing is typed before the list is read anew, in milliseconds. */
const typingPause = 250;

/** Documents lists one collection, in the order of the ids. */
export function Documents({ collection }: { collection: string }) {
  const prefix = route.value.query.get("prefix") ?? "";
  const conflicted = route.value.query.get("conflicted") === "true";
  const { pages, more, again } = usePages({ base: base.value, collection, prefix, conflicted });
  const narrow = (prefix: string, conflicted: boolean) => go(to("data", [collection], { prefix, conflicted: conflicted ? "true" : "" }), true);
  return (
    <>
      <nav aria-label="Path">
        <a href={to("data")}>Data</a>
      </nav>
      <h1>{collection}</h1>
      <p class="muted">
        Documents as {viewed.value} shows them, by id. <a href={to("settings", [collection])}>Policy and settings</a>
      </p>
      <div class="data-bar">
        <Prefix value={prefix} change={(typed) => narrow(typed, conflicted)} />
        <label>
          <input type="checkbox" checked={conflicted} onChange={(e) => narrow(prefix, e.currentTarget.checked)} /> only in conflict
        </label>
        <New collection={collection} />
        <a href={to("data", [collection], { import: "file" })}>Import</a>
        <Export collection={collection} prefix={prefix} />
      </div>
      <List collection={collection} pages={pages} more={more} />
      {pages.at > 0 && (
        <AsOf at={pages.at} again={again}>
          {count(pages.rows.length, "document")}
          {pages.state === "all" ? "" : " so far; more come as you scroll"}
        </AsOf>
      )}
      {pages.state === "all" && pages.rows.length === 0 && <Nothing collection={collection} narrowed={prefix !== "" || conflicted} />}
    </>
  );
}

function List({ collection, pages, more }: { collection: string; pages: Pages; more: () => void }) {
  const failed = pages.state === "failed" && <Failed error={pages.error} retry={more} />;
  if (pages.rows.length === 0) return pages.state === "asking" ? <p class="muted">asking {viewed.value} …</p> : <>{failed}</>;
  return (
    <>
      <Rows label={`Documents of ${collection}`} items={pages.rows} height={rowHeight} row={(d) => <One collection={collection} row={d} />} nearEnd={pages.state === "more" ? more : undefined} />
      {failed}
    </>
  );
}

function One({ collection, row }: { collection: string; row: Row }) {
  return (
    <a class="data-row" href={to("data", [collection, row.id])}>
      <span class="data-id">
        <Id value={row.id} most={40} />
      </span>
      <span>{row.conflicts > 1 && <Sign state="conflict" word={`${row.conflicts} versions`} />}</span>
      <bdi class="json">{row.text}</bdi>
    </a>
  );
}

/** Prefix hands on what was typed once nothing more is. */
function Prefix({ value, change }: { value: string; change: (typed: string) => void }) {
  const [typed, type] = useState(value);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => change(typed), typingPause);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <label>
      ids that begin with <input type="text" value={typed} onInput={(e) => type(e.currentTarget.value)} />
    </label>
  );
}

function New({ collection }: { collection: string }) {
  const [id, type] = useState("");
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        go(to("data", [collection, id]));
      }}
    >
      <label>
        new document <input type="text" required placeholder="id" value={id} onInput={(e) => type(e.currentTarget.value)} />
      </label>{" "}
      <button type="submit">Create …</button>
    </form>
  );
}

function Nothing({ collection, narrowed }: { collection: string; narrowed: boolean }) {
  if (narrowed) return <p>No document of {collection} is like that.</p>;
  return (
    <>
      <p>{collection} has no documents. The next command to type:</p>
      <Copy label="copy command" text={command(base.value, "put", collection, "alice", '{"balance": 120}')} />
    </>
  );
}
