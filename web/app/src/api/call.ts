import { credential, forget, lack } from "./credential.ts";
import type { Decoder } from "./decode.ts";
import { parse, print } from "./exact.ts";
import { problem, type ProblemShape } from "./shapes.ts";

/** Call is one request of the public API. Screens show it as curl before they send it. */
export interface Call {
  base: string; // of the node that is asked, "http://127.0.0.1:7401"
  method: "GET" | "HEAD" | "PUT" | "POST" | "PATCH" | "DELETE";
  path: string;
  body?: unknown; // JSON; a string is sent as it is
  headers?: Record<string, string>;
}

/** Reply is an answer with what its headers say. */
export interface Reply {
  status: number;
  headers: Headers;
  text: string;
}

/** answerWithin is how long a node may take to answer, in milliseconds. */
const answerWithin = 20_000;

/** Refused is an answer that says no: application/problem+json. */
export class Refused extends Error {
  constructor(
    readonly problem: ProblemShape,
    readonly body: unknown, // all of the answer
    readonly reply: Reply, // the answer as it came
  ) {
    super(problem.detail || problem.title);
    this.name = "Refused";
  }
}

/** Silent is a node that did not answer: what it did is not known. */
export class Silent extends Error {
  constructor(
    readonly base: string,
    readonly why: string,
  ) {
    super(`${base} does not answer: ${why}`);
    this.name = "Silent";
  }
}

/** send sends a call and returns the answer, or throws Refused or Silent. */
export async function send(call: Call, signal?: AbortSignal): Promise<Reply> {
  const limit = AbortSignal.timeout(answerWithin);
  const token = credential.value;
  let response: Response;
  let body: string;
  try {
    response = await fetch(call.base + call.path, {
      method: call.method,
      headers: headersOf(call),
      body: bodyOf(call) ?? null,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    body = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Silent(call.base, limit.aborted ? `nothing came within ${answerWithin / 1000} s` : "no connection");
  }
  const reply = { status: response.status, headers: response.headers, text: body };
  if (response.status >= 400) throw refusal(reply, response.statusText, token);
  return reply;
}

/** ask sends a GET and decodes its JSON. */
export async function ask<T>(base: string, path: string, decoder: Decoder<T>, signal?: AbortSignal): Promise<T> {
  const reply = await send({ base, method: "GET", path }, signal);
  return decoder(parse(reply.text), "");
}

export function headersOf(call: Call): Record<string, string> {
  const headers = { ...call.headers };
  if (call.body !== undefined && !headers["Content-Type"]) headers["Content-Type"] = "application/json";
  const token = credential.value;
  if (token) headers["Authorization"] = `Bearer ${token}`;
  return headers;
}

/** bodyOf is what is sent: what is a string already, such as a document, as it stands. */
export function bodyOf(call: Call): string | undefined {
  if (call.body === undefined || typeof call.body === "string") return call.body;
  return print(call.body);
}

/** refusal makes an error of an answer that says no, to a request with a token or "". */
export function refusal(reply: Reply, statusText: string, token: string): Refused {
  let parsed: unknown = null;
  let said: ProblemShape;
  try {
    parsed = parse(reply.text);
    said = problem(parsed, "");
  } catch {
    // A proxy between us and the node may answer in its own way.
    said = problem({ title: statusText, status: reply.status, detail: reply.text.slice(0, 300), code: "unknown" }, "");
  }
  if (reply.status === 401) forget(token, said.detail);
  if (reply.status === 403) lack(token, said.scope);
  return new Refused(said, parsed, reply);
}

/** segment is an id as one percent-encoded path segment. */
export const segment = (id: string): string => encodeURIComponent(id);
