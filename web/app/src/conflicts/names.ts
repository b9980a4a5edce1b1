import { ask } from "../api/call.ts";
import { resolverNames } from "../api/shapes.ts";
import { base } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";

/** useResolverNames asks the node viewed for the resolvers that may decide; there are none for as long as it has not answered. */
export function useResolverNames(): string[] {
  const { answer } = useAsk((stop) => ask(base.value, "/v1/resolvers", resolverNames, stop), [base.value]);
  return answer.state === "here" ? answer.value.resolvers.map((r) => r.name) : [];
}
