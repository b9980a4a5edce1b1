import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "../api/call.ts";
import { escapeUnseen, print } from "../api/exact.ts";
import { documents } from "./shapes.ts";

/** pageOf is how many documents one answer has. */
const pageOf = 200;
/** preview is how many characters of a document its row shows. */
const preview = 240;

/** Row is one document of a list. Its body is cut: a list of long ones must not fill the memory. */
export interface Row {
  id: string;
  dot: string | null;
  conflicts: number;
  text: string;
}

/** Pages is a list as far as it was read. */
export interface Pages {
  rows: Row[];
  state: "asking" | "more" | "all" | "failed";
  error: unknown;
  at: number; // when its first page was read
}

const none: Pages = { rows: [], state: "asking", error: null, at: 0 };

/** What is listed. */
export interface Filter {
  base: string;
  collection: string;
  prefix: string;
  conflicted: boolean;
}

/** usePages reads a list page by page: more() asks for the next one, again() begins anew. */
export function usePages(filter: Filter): { pages: Pages; more: () => void; again: () => void } {
  const pages = useSignal<Pages>(none);
  const next = useSignal("");
  const round = useSignal(0);
  const stop = useSignal<AbortController | null>(null);
  const read = async (signal: AbortSignal) => {
    pages.value = { ...pages.value, state: "asking" };
    try {
      const q = new URLSearchParams({ limit: String(pageOf), prefix: filter.prefix, cursor: next.value, conflicted: filter.conflicted ? "true" : "" });
      for (const [name, value] of [...q]) if (!value) q.delete(name);
      const page = await ask(filter.base, `/v1/docs/${filter.collection}?${q}`, documents, signal);
      const rows = page.documents.map(({ id, dot, conflicts, doc }) => ({ id, dot, conflicts, text: doc === null ? "deleted" : escapeUnseen(print(doc).slice(0, preview)) }));
      next.value = page.next ?? "";
      pages.value = { rows: [...pages.value.rows, ...rows], state: page.next ? "more" : "all", error: null, at: pages.value.at || Date.now() };
    } catch (error) {
      if (!signal.aborted) pages.value = { ...pages.value, state: "failed", error };
    }
  };
  useEffect(() => {
    const controller = new AbortController();
    stop.value = controller;
    next.value = "";
    pages.value = none;
    void read(controller.signal);
    return () => controller.abort();
  }, [filter.base, filter.collection, filter.prefix, filter.conflicted, round.value]);
  const more = () => {
    const p = pages.value;
    if (stop.value && (p.state === "more" || p.state === "failed")) void read(stop.value.signal);
  };
  return { pages: pages.value, more, again: () => void round.value++ };
}
