import { signal } from "@preact/signals";
import type { Stored } from "./stored.ts";

/** Draft is what somebody has begun to write, and what they saw when they began. */
export interface Draft {
  text: string;
  opened: string; // the text that it began with, "" for a new document
  etag: string; // of that; "" for a new document
  context: string;
}

/** The drafts of this tab, by collection/id: whoever looks at another screen finds them again. */
const drafts = signal<ReadonlyMap<string, Draft>>(new Map());

export const draftOf = (key: string): Draft | undefined => drafts.value.get(key);

/** keepDraft keeps a draft, or drops it when it is null. */
export function keepDraft(key: string, draft: Draft | null): void {
  const next = new Map(drafts.value);
  if (draft) next.set(key, draft);
  else next.delete(key);
  drafts.value = next;
}

// A tab that is closed would lose them: the browser asks first.
addEventListener("beforeunload", (e) => {
  if (drafts.value.size > 0) e.preventDefault();
});

/** beginOn is a draft of what is stored. */
export const beginOn = (s: Stored, text = s.text ?? "{}"): Draft => ({ text, opened: s.text ?? "", etag: s.gone ? "" : s.etag, context: s.context });

/** boxText is a text as a text box has it: it knows one end of line only. */
export const boxText = (text: string): string => text.replaceAll(/\r\n?/g, "\n");

/** fromBox is what was typed, with the ends of lines that the stored text has. */
export function fromBox(typed: string, stored: string): string {
  if (typed === boxText(stored)) return stored;
  return stored.includes("\r\n") ? typed.replaceAll("\n", "\r\n") : typed;
}

/** guard are the headers that say what the writer had seen: nobody's write is covered unseen. */
export function guard(etag: string, context: string): Record<string, string> {
  if (!etag) return { "If-None-Match": "*" };
  return { "If-Match": etag, ...(context ? { "Causal-Context": context } : {}) };
}

/** guardWords are the same for the command line. */
export function guardWords(etag: string, context: string): string[] {
  if (!etag) return ["--if-none-match"];
  return ["--if-match", etag, ...(context ? ["--context", context] : [])];
}
