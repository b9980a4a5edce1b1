import { headersOf, Refused, refusal, Silent } from "./call.ts";
import { credential } from "./credential.ts";
import { silence } from "./silence.ts";

/** Message is one event of a stream, as it came. */
export interface Message {
  id: string;
  event: string;
  data: string;
}

/** Reading is how a stream is read. */
export interface Reading {
  base: string; // of the node that is read
  path?: string; // "/v1/events" when it is left out
  after: string; // Last-Event-ID, or ""
  silentAfter: number; // milliseconds without a byte that end it: a node that stands still keeps its connections
  signal: AbortSignal;
}

/** live are the events of a node. */
const live = "/v1/events";

/**
 * messages reads server-sent events with fetch, since EventSource can send no
 * Authorization. It ends when the node ends the stream, and throws Silent when
 * it cannot be reached or says nothing for too long, and Refused when it says
 * no: a token that a node does not take is forgotten here as everywhere.
 */
export async function* messages(r: Reading): AsyncGenerator<Message> {
  const quiet = new AbortController();
  const signal = AbortSignal.any([r.signal, quiet.signal]);
  const silent = silence(r.silentAfter, () => quiet.abort());
  const token = credential.value;
  const url = r.base + (r.path ?? live);
  const headers = headersOf({ base: r.base, method: "GET", path: url });
  headers["Accept"] = "text/event-stream";
  if (r.after) headers["Last-Event-ID"] = r.after;
  try {
    const response = await fetch(url, { headers, signal, cache: "no-store", credentials: "omit" });
    if (!response.ok || !response.body) throw refusal({ status: response.status, headers: response.headers, text: await response.text() }, response.statusText, token);
    let rest = "";
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      silent.heard();
      const blocks = (rest + piece).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const message = parse(block);
        if (message) yield message;
      }
    }
  } catch (error) {
    if (r.signal.aborted || error instanceof Refused) throw error;
    throw new Silent(r.base, quiet.signal.aborted ? `silent for ${r.silentAfter / 1000} s` : "no connection");
  } finally {
    silent.end();
    quiet.abort();
  }
}

/** parse reads one block of the framing; a comment is nothing. */
function parse(block: string): Message | null {
  const message: Message = { id: "", event: "message", data: "" };
  let any = false;
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const field = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") message.data += any && message.data ? `\n${value}` : value;
    else if (field === "id") message.id = value;
    else if (field === "event") message.event = value;
    any = true;
  }
  return any ? message : null;
}
