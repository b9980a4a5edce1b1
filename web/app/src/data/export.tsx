import { useEffect, useRef, useState } from "preact/hooks";
import { send } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { base } from "../live/members.ts";
import { Twins } from "../parts/act.tsx";
import { count } from "../parts/text.tsx";
import { Failed } from "../parts/trouble.tsx";
import { elements, members, type Span } from "./strict.ts";

/** pageOf is how many documents one answer has. */
const pageOf = 500;
/** envelope is how many levels a page puts around a document, and documents may have 64 of their own. */
const envelope = 64 + 3;

/** How far an export has come. */
type State = { is: "idle" } | { is: "reading"; n: number } | { is: "failed"; n: number; error: unknown } | { is: "done"; n: number; url: string };

/** Export makes a file of NDJSON from the pages of the list, as import reads it. */
export function Export({ collection, prefix }: { collection: string; prefix: string }) {
  const [state, setState] = useState<State>({ is: "idle" });
  const parts = useRef<{ texts: string[]; next: string; n: number; stop: AbortController }>({ texts: [], next: "", n: 0, stop: new AbortController() });
  const url = state.is === "done" ? state.url : "";
  useEffect(() => () => parts.current.stop.abort(), []);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const begin = () => {
    parts.current = { texts: [], next: "", n: 0, stop: new AbortController() };
    void read();
  };
  const read = async () => {
    const p = parts.current;
    try {
      do {
        setState({ is: "reading", n: p.n });
        const query = new URLSearchParams({ limit: String(pageOf), prefix, ...(p.next ? { cursor: p.next } : {}) });
        const page = await send({ base: base.value, method: "GET", path: `/v1/docs/${collection}?${query}` }, p.stop.signal);
        const { lines, next } = linesOf(page.text);
        p.texts.push(...lines);
        p.n += lines.length;
        p.next = next;
      } while (p.next);
      setState({ is: "done", n: p.n, url: URL.createObjectURL(new Blob(p.texts, { type: "application/x-ndjson" })) });
    } catch (error) {
      if (!p.stop.signal.aborted) setState({ is: "failed", n: p.n, error });
    }
  };
  const path = `/v1/docs/${collection}?limit=${pageOf}${prefix ? `&prefix=${encodeURIComponent(prefix)}` : ""}`;
  return (
    <span class="act">
      <button type="button" onClick={begin} disabled={state.is === "reading"} aria-busy={state.is === "reading"}>
        Export
      </button>
      <Twins calls={[{ base: base.value, method: "GET", path }]} command={command(base.value, "export", collection, `${collection}.ndjson`, ...(prefix ? ["--prefix", prefix] : []))} />
      <span role="status">
        {state.is === "reading" && `${count(state.n, "document")} so far`}
        {state.is === "done" && (
          <a href={state.url} download={`${collection}.ndjson`}>
            Save {collection}.ndjson ({count(state.n, "document")})
          </a>
        )}
      </span>
      {state.is === "failed" && (
        <span class="trouble-wide">
          <Failed error={state.error} />
          {count(state.n, "document")} read; nothing of them is lost.{" "}
          <button type="button" onClick={() => void read()}>
            Go on from there
          </button>
        </span>
      )}
    </span>
  );
}

/** linesOf makes lines of a page. Documents keep their text, but for the ends of lines between tokens. */
function linesOf(page: string): { lines: string[]; next: string } {
  const cut = ([start, end]: Span) => page.slice(start, end);
  const top = members(page, envelope);
  const listed = top.get("documents") ?? [0, 0];
  const lines: string[] = [];
  const text = cut(listed);
  for (const [start, end] of elements(text, envelope)) {
    const one = text.slice(start, end);
    const spans = members(one, envelope);
    const part = (name: string): string => {
      const [from, to] = spans.get(name) ?? [0, 0];
      return one.slice(from, to);
    };
    const versions = Number(part("conflicts"));
    if (part("doc") === "null") continue; // it shows a deletion
    lines.push(`{"id":${part("id")},${versions > 1 ? `"conflicts":${versions},` : ""}"doc":${part("doc").replaceAll(/[\n\r]/g, " ")}}\n`);
  }
  const next: unknown = JSON.parse(cut(top.get("next") ?? [0, 0]) || "null");
  return { lines, next: typeof next === "string" ? next : "" };
}
