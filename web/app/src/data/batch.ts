// What is to be imported, line by line, and what has come of each.

import { elements, members, NotStrict, place } from "./strict.ts";

/** Line is one document of an import. */
export interface Line {
  number: number; // in the file; of an array, which element
  id: string;
  body: string; // as the API takes it
  doc: string; // "" for a deletion
  state: "waiting" | "applied" | "refused" | "unknown";
  why: string; // of one that was refused, or that is unknown
}

/** lineLevels are those of a line around its document, which may have 64 itself. */
const lineLevels = 64 + 1;
/** slice is how long reading goes on before the page gets its turn, in milliseconds. */
const slice = 12;

/** read makes lines of NDJSON, or of one array in JSON. tell hears how far it has come, from 0 to 1. */
export async function read(text: string, tell: (part: number) => void): Promise<Line[]> {
  const lines: Line[] = [];
  let since = performance.now();
  for (const { number, start, body } of /^\s*\[/.test(text) ? ofArray(text) : ofLines(text)) {
    lines.push(lineOf(number, body));
    if (performance.now() - since < slice) continue;
    tell(start / text.length);
    await new Promise((done) => setTimeout(done));
    since = performance.now();
  }
  return lines;
}

interface Piece {
  number: number;
  start: number;
  body: string;
}

function* ofLines(text: string): Generator<Piece> {
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const body = text.slice(start, end < 0 ? text.length : end);
    number++;
    if (body.trim()) yield { number, start, body };
    start = end < 0 ? text.length : end + 1;
  }
}

/** ofArray yields the elements, and what comes where they end before the array does as one that is refused. */
function* ofArray(text: string): Generator<Piece> {
  let number = 0;
  let behind = 0;
  try {
    for (const [start, end] of elements(text, lineLevels + 1)) {
      yield { number: ++number, start, body: text.slice(start, end) };
      behind = end;
    }
  } catch (error) {
    if (!(error instanceof NotStrict)) throw error;
    yield { number: number + 1, start: behind, body: `at ${place(text, error.at)}: ${error.message}` };
  }
}

/** lineOf checks a line and takes from it what the API knows, so that what export writes can be read. */
function lineOf(number: number, text: string): Line {
  const refused = (why: string, id = ""): Line => ({ number, id, body: "", doc: "", state: "refused", why });
  try {
    const spans = members(text, lineLevels);
    const raw = (name: string): string => text.slice(...(spans.get(name) ?? [0, 0])).replaceAll(/[\n\r]/g, " ");
    const id: unknown = raw("id") ? JSON.parse(raw("id")) : null;
    if (typeof id !== "string" || !id) return refused('it has no "id" that is a text');
    const doc = raw("doc");
    const deletes = raw("delete") === "true";
    if (deletes === (doc !== "")) return refused(deletes ? 'it has a "doc" and "delete":true' : 'it has no "doc", nor "delete":true', id);
    if (doc && !doc.startsWith("{")) return refused('its "doc" is not an object', id);
    const known = ["id", ...(deletes ? ["delete"] : ["doc"]), "if_match", "context"].filter((name) => spans.has(name));
    return { number, id, body: `{${known.map((name) => `"${name}":${raw(name)}`).join(",")}}`, doc, state: "waiting", why: "" };
  } catch (error) {
    if (error instanceof NotStrict) return refused(text.startsWith("at ") ? text : `column ${error.at + 1}: ${error.message}`);
    throw error;
  }
}
