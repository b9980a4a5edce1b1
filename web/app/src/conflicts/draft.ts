import { isObject, parse } from "../api/exact.ts";

/** Typed is what somebody has begun to write of a decision. */
export interface Typed {
  text: string | null; // the result; null: it is as it begins
  reason: string; // for the record
}

/** Draft is a result that somebody writes by hand: a document, or why it is none. */
export type Draft = { doc: Record<string, unknown>; fault: null } | { doc: null; fault: string };

/** read reads a draft, and says with line and column where it is no JSON. */
export function read(text: string): Draft {
  let doc: unknown;
  try {
    doc = parse(text);
  } catch (error) {
    return { doc: null, fault: faultIn(text, error instanceof Error ? error.message : String(error)) };
  }
  return isObject(doc) ? { doc, fault: null } : { doc: null, fault: "line 1, column 1: a document is an object, { … }" };
}

/** faultIn makes line:column of what an engine says; they say it in three ways, and of the end of the text not at all. */
function faultIn(text: string, said: string): string {
  const what = said.replace(/^JSON\.parse: /, "").replace(/,? (in JSON )?at (position|line) \d+.*$/s, "").replace(/,? "[^]*$/, "").replace(/ of the JSON data$/, "");
  const lines = /line (\d+) column (\d+)/.exec(said);
  if (lines) return `line ${lines[1]}, column ${lines[2]}: ${what}`;
  const place = /position (\d+)/.exec(said);
  const before = text.slice(0, place ? Number(place[1]) : text.length).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${what}`;
}
