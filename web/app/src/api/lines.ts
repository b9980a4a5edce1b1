import { bodyOf, type Call, headersOf, refusal, Silent } from "./call.ts";
import { credential } from "./credential.ts";
import type { Decoder } from "./decode.ts";
import { parse } from "./exact.ts";

/** quiet is how long the next line may take, in milliseconds. */
const quiet = 20_000;

/** lines sends a call and gives each line of its answer as it comes (NDJSON), or throws Refused or Silent. */
export async function* lines<T>(call: Call, decoder: Decoder<T>, signal: AbortSignal): AsyncGenerator<T> {
  const token = credential.value;
  const late = new AbortController();
  const either = AbortSignal.any([signal, late.signal]);
  const expect = () => setTimeout(() => late.abort(), quiet);
  let timer = expect();
  try {
    const response = await fetch(call.base + call.path, {
      method: call.method,
      headers: { ...headersOf(call), Accept: "application/x-ndjson" },
      body: bodyOf(call) ?? null,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: either,
    });
    if (!response.ok || !response.body) throw refusal({ status: response.status, headers: response.headers, text: await response.text() }, response.statusText, token);
    let rest = "";
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      clearTimeout(timer);
      timer = expect();
      const whole = (rest + piece).split("\n");
      rest = whole.pop() ?? "";
      for (const line of whole) if (line) yield decoder(parse(line), "");
    }
  } catch (error) {
    if (late.signal.aborted) throw new Silent(call.base, `no line came within ${quiet / 1000} s`);
    if (error instanceof TypeError) throw new Silent(call.base, "the connection broke"); // what fetch throws
    throw error;
  } finally {
    clearTimeout(timer);
    late.abort();
  }
}
