import { options, type VNode } from "preact";

// What Preact draws anew by itself, because a signal changed, replaces its
// element in the tree, but not among the `children` that its parent was given:
// there the first element stays, with all that was drawn below it. Where a part
// below did not change, old and new share it, and so the first drawing holds
// the second, that one the third, and so on: at 200 events a second the heap
// grows without end. An element that was replaced is never looked into again,
// so it lets go of what is below it.

/** Drawn is an element as Preact keeps it: its component, and what is below it (`mangle.json` of Preact has the names). */
interface Drawn {
  __c?: { __v?: Drawn } | null;
  __k?: unknown;
}

const replaced = new WeakMap<Drawn, Drawn>();

const made = options.vnode;
options.vnode = (element: VNode & Drawn) => {
  // Only a copy for a drawing by itself has a component this early.
  const old = element.__c?.__v;
  if (old && old !== element) replaced.set(element, old);
  made?.(element);
};

const drawn = options.diffed;
options.diffed = (element: VNode & Drawn) => {
  const old = replaced.get(element);
  if (old) {
    replaced.delete(element);
    old.__k = null;
  }
  drawn?.(element);
};
