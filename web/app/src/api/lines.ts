import { bodyOf, type Call, headersOf, refusal, Silent } from "./call.ts";

/**
 * lines sends a call and yields the lines of an answer in NDJSON as they come.
 * It throws Refused when the node says no, and Silent when the answer breaks
 * off: what the lines that did not come would have said is then not known.
 */
export async function* lines(call: Call, signal: AbortSignal): AsyncGenerator<string> {
  try {
    const response = await fetch(call.base + call.path, {
      method: call.method,
      headers: headersOf(call),
      body: bodyOf(call) ?? null,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal,
    });
    if (response.status >= 400) throw refusal(response, await response.text());
    let rest = "";
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const whole = (rest + piece).split("\n");
      rest = whole.pop() ?? "";
      yield* whole.filter(Boolean);
    }
    if (rest) yield rest;
  } catch (error) {
    if (signal.aborted || !(error instanceof TypeError)) throw error;
    throw new Silent(call.base, "the connection broke off");
  }
}
