import { ask } from "../api/call.ts";
import { examples } from "../api/shapes.ts";

/** Template is a source to begin with. */
export interface Template {
  name: string;
  source: string;
}

const empty = `# What a collection's policy asks when writers changed one document that had
# not seen each other. It has to give the same on every node: the result may
# depend on the conflict alone. Return a document, DELETE, or DEFER, which leaves
# it to a person.

def resolve(conflict):
    newest = conflict.siblings[-1]
    if newest.deleted:
        return DELETE
    return newest.doc

def test_the_newest_wins():
    c = conflict(siblings = [{"n": 1}, {"n": 2}])
    assert_eq(resolve(c), {"n": 2})
`;

/** templatesOf are an empty one, and the rules that come with a node's program. */
export async function templatesOf(base: string, signal: AbortSignal): Promise<Template[]> {
  const { resolvers } = await ask(base, "/v1/examples/resolvers", examples, signal);
  return [{ name: "my_rule", source: empty }, ...resolvers];
}
