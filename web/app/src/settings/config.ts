import type { Call } from "../api/call.ts";
import { print } from "../api/exact.ts";
import { command, quote } from "../api/twin.ts";
import { guard } from "../parts/drafts.ts";
import type { Collection } from "./shapes.ts";

/** Config is a collection's configuration as the form has it: texts, so that what is half typed can be shown. */
export interface Config {
  kind: string;
  path: string;
  resolver: string;
  rules: [path: string, rule: string][];
  byDefault: string;
  minority: string;
  requireContext: boolean;
  delete: string;
  history: string;
  records: string;
  body: string;
}

export const kinds = [
  { value: "lww", means: "the last writer wins, the others are on record" },
  { value: "merge", means: "members are merged, each by its rule" },
  { value: "script", means: "a resolver decides" },
  { value: "manual", means: "a person decides" },
];
export const rules = ["lww", "max", "min", "sum", "union", "concat", "keep_both"];
/** defaults are the rules that all other members may have: a sum needs a place. */
export const defaults = rules.filter((r) => r !== "sum");
export const deletes = [
  { value: "lww", means: "the later one wins" },
  { value: "update_wins", means: "the update wins" },
  { value: "delete_wins", means: "the delete wins" },
];
export const minorities = [
  { value: "refuse", means: "refuses writes" },
  { value: "accept", means: "takes writes: they meet the others as conflicts" },
];

/** configOf is the form of what is in force. */
export const configOf = (c: Collection): Config => ({
  kind: c.policy.kind,
  path: c.policy.path,
  resolver: c.policy.resolver,
  rules: [...(c.policy.rules ?? [])],
  byDefault: c.policy.default,
  minority: c.minority,
  requireContext: c.require_context,
  delete: c.delete,
  history: c.history,
  records: c.records,
  body: String(c.limits.body),
});

/** bodyOf is the configuration as the API takes it. Members of another policy are left out. */
export function bodyOf(c: Config, ack: string) {
  const policy = {
    kind: c.kind,
    ...(c.kind === "lww" && c.path ? { path: c.path } : {}),
    ...(c.kind === "script" ? { resolver: c.resolver } : {}),
    ...(c.rules.length > 0 ? { rules: Object.fromEntries(c.rules) } : {}),
    ...(c.byDefault ? { default: c.byDefault } : {}),
  };
  return {
    policy,
    ack,
    minority: c.minority,
    require_context: c.requireContext,
    delete: c.delete,
    history: c.history,
    records: c.records,
    limits: { body: Number(c.body) },
  };
}

/** setCall configures a collection, guarded by the ETag of what the writer saw. */
export const setCall = (base: string, name: string, c: Config, ack: string, etag: string): Call => ({
  base,
  method: "PUT",
  path: `/v1/collections/${name}`,
  body: bodyOf(c, ack),
  headers: guard(etag),
});

/** setCommand is the same for the command line, which reads all of the configuration as JSON. */
export function setCommand(base: string, name: string, c: Config, ack: string, etag: string): string {
  const line = command(base, "collections", "set", name, "--file", "-", ...(etag ? ["--if-match", etag] : []));
  return `${line} <<< ${quote(print(bodyOf(c, ack)))}`;
}

const kept = /^(forever|0|(\d+(\.\d+)?(ns|us|ms|s|m|h))+)$/;

/** mistakes says what is wrong with a form before it is sent, by field. */
export function mistakes(c: Config): Map<keyof Config, string> {
  const wrong = new Map<keyof Config, string>();
  const say = (field: keyof Config, is: boolean, what: string) => is && wrong.set(field, what);
  say("resolver", c.kind === "script" && !c.resolver, "name the resolver that decides");
  say("path", c.kind === "lww" && c.path !== "" && !c.path.startsWith("/"), "a JSON pointer begins with /");
  say("rules", c.rules.some(([path]) => !path.startsWith("/")), "a JSON pointer begins with /");
  say("rules", new Set(c.rules.map(([path]) => path)).size < c.rules.length, "one place has two rules");
  say("history", !kept.test(c.history), "such as 0s, 720h or forever");
  say("records", !kept.test(c.records), "such as 720h or forever");
  say("body", !/^[1-9]\d*$/.test(c.body), "a number of bytes");
  return wrong;
}

const fields: [word: RegExp, field: keyof Config][] = [
  [/resolver/, "resolver"],
  [/rules|default:/, "rules"],
  [/path/, "path"],
  [/limits\.body/, "body"],
  [/history/, "history"],
  [/records/, "records"],
  [/minority/, "minority"],
  [/delete/, "delete"],
  [/policy/, "kind"],
];

/** fieldOf is the field that a node's refusal speaks of, if it names one. */
export const fieldOf = (detail: string): keyof Config | undefined => fields.find(([word]) => word.test(detail))?.[1];
