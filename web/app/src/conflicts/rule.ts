import { command } from "../api/twin.ts";
import type { Call } from "../api/call.ts";

/** Rule is how many conflicts end at once: "newest", "oldest", "node=a" or "resolver=name". */
export type Rule = string;

/** mostAtOnce is how many conflicts one request resolves. */
export const mostAtOnce = 1_000;

const after = (rule: Rule, head: string): string | null => (rule.startsWith(head) ? rule.slice(head.length) : null);

/** ruleWords says what a rule does. */
export function ruleWords(rule: Rule): string {
  const node = after(rule, "node=");
  const resolver = after(rule, "resolver=");
  if (node !== null) return `what ${node} wrote`;
  if (resolver !== null) return `what the resolver ${resolver} returns`;
  return `the ${rule} version`;
}

/** manyCall is the request that ends conflicts by a rule, or says what it would make of them. */
export function manyCall(base: string, rule: Rule, ids: readonly string[], dry: boolean): Call {
  const node = after(rule, "node=");
  const resolver = after(rule, "resolver=");
  const choice = resolver !== null ? { resolver } : { pick: node !== null ? { node } : rule };
  return { base, method: "POST", path: "/v1/conflicts/resolve", body: { filter: { conflicts: ids }, ...choice, dry_run: dry } };
}

/** manyCommand is the same as a command line. */
export function manyCommand(base: string, rule: Rule, ids: readonly string[], dry: boolean): string {
  const resolver = after(rule, "resolver=");
  const choice = resolver !== null ? ["--resolver", resolver] : ["--pick", rule];
  return command(base, "conflicts", "resolve", "--all", "--only", ids.join(","), ...choice, ...(dry ? ["--dry-run"] : []));
}
