import { Drafts } from "../parts/drafts.ts";
import type { Stored } from "./stored.ts";

/** Draft is what somebody has begun to write, and what they saw when they began. */
export interface Draft {
  text: string;
  opened: string; // the text that it began with, "" for a new document
  etag: string; // of that; "" for a new document
  context: string;
}

/** drafts are those of this tab, by collection/id. */
export const drafts = new Drafts<Draft>((d) => d.text);

/** beginOn is a draft of what is stored. */
export const beginOn = (s: Stored, text = s.text ?? "{}"): Draft => ({ text, opened: s.text ?? "", etag: s.gone ? "" : s.etag, context: s.context });

/** boxText is a text as a text box has it: it knows one end of line only. */
export const boxText = (text: string): string => text.replaceAll(/\r\n?/g, "\n");

/** fromBox is what was typed, with the ends of lines that the stored text has. */
export function fromBox(typed: string, stored: string): string {
  if (typed === boxText(stored)) return stored;
  return stored.includes("\r\n") ? typed.replaceAll("\n", "\r\n") : typed;
}
