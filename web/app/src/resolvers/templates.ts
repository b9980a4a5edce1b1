/** Template is a source to begin with. */
export interface Template {
  name: string;
  load: () => Promise<string>;
}

// The rules that are shipped with Syncline, as they are: loaded when somebody asks for one.
const shipped = import.meta.glob<string>("../../../../scripts/resolvers/*.star", { query: "?raw", import: "default" });

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

/** templates are an empty one, and the shipped rules. */
export const templates: Template[] = [
  { name: "my_rule", load: () => Promise.resolve(empty) },
  ...Object.entries(shipped).map(([path, load]) => ({ name: path.slice(path.lastIndexOf("/") + 1, -".star".length), load })),
];
