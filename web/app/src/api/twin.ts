import { bodyOf, type Call } from "./call.ts";

// Rule 4 of the page: every action shows its curl and its command-line twin.

/** quote makes one word of a shell of any text. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** curl is a call as somebody would type it. The token is left out: it belongs to a person. */
export function curl(call: Call): string {
  const words = ["curl", "-s"];
  if (call.method !== "GET") words.push("-X", call.method);
  for (const [name, value] of Object.entries(call.headers ?? {})) words.push("-H", quote(`${name}: ${value}`));
  const body = bodyOf(call);
  if (body !== undefined) {
    if (!call.headers?.["Content-Type"]) words.push("-H", quote("Content-Type: application/json"));
    words.push("--data-binary", quote(body));
  }
  words.push(quote(call.base + call.path));
  return words.join(" ");
}

/** command is a line of the command line, asked of one node. */
export function command(base: string, ...words: string[]): string {
  return ["syncline", "--node", quote(base), ...words.map(quote)].join(" ");
}
