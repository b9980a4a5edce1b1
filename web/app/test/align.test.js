// The three-way view, without a browser: what is beside what, and by how much.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { source } from "./source.js";

/** @type {typeof import("../src/conflicts/align.ts")} */ let a;
/** @type {typeof import("../src/conflicts/decimal.ts")} */ let d;
/** @type {typeof import("../src/conflicts/draft.ts")} */ let draft;
before(async () => {
  [a, d, draft] = await Promise.all([source("conflicts/align.ts"), source("conflicts/decimal.ts"), source("conflicts/draft.ts")]);
});

/** @param {...unknown} docs */
const columns = (...docs) => docs.map((doc) => ({ deleted: doc === "deleted", doc: doc === "deleted" || doc === "unknown" ? null : doc }));

/** The lines as text: pointer, cells, "!" where they differ. @param {...unknown} docs */
function lines(...docs) {
  const all = docs.map((_, i) => i);
  return a.align(columns(...docs), all).lines.map((l) => `${l.differs ? "!" : ""}${l.pointer} ${l.cells.map((c) => (c.is === "value" ? JSON.stringify(c.value) : c.is)).join(" | ")}`);
}

test("base | A | B aligned by JSON pointer: members and elements, each by its pointer", () => {
  assert.deepEqual(lines({ balance: 120, name: "x" }, { balance: 20, name: "x" }, { balance: 70, name: "x", new: [1, { a: 2 }] }), [
    "!/balance 120 | 20 | 70",
    '/name "x" | "x" | "x"',
    "!/new/0 absent | absent | 1",
    "!/new/1/a absent | absent | 2",
  ]);
  assert.deepEqual(lines({ a: { b: 1 } }, { a: 1 }), ['!/a {"b":1} | 1'], "values of different kinds are compared whole");
  assert.deepEqual(lines({ a: [] }, { a: {} }), ["!/a [] | {}"]);
  assert.deepEqual(lines({}, {}), [" {} | {}"]);
  assert.deepEqual(lines({ a: null }, {}), ["!/a null | absent"], "null is a value, absent is none");
  assert.deepEqual(lines({ "a/b": 1, "~": 2, "": 3 }), ["/a~1b 1", "/~0 2", "/ 3"]);
});

test("a tombstone side is deleted, a document that is not kept is unknown, and neither is absent", () => {
  assert.deepEqual(lines({ n: 1 }, "deleted", "unknown"), ["!/n 1 | deleted | unknown"]);
  assert.deepEqual(lines({ n: 1 }, "unknown"), ["/n 1 | unknown"], "what nobody knows is no difference");
  assert.deepEqual(lines("deleted", "deleted"), [" deleted | deleted"]);
});

test("hostile keys are members like any other: __proto__, constructor, emoji, empty, lone surrogates", () => {
  const hostile = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"💥":3,"":4,"hasOwnProperty":5}');
  const base = JSON.parse('{"__proto__":{"polluted":0},"toString":6}');
  assert.deepEqual(lines(base, hostile), ["!/__proto__/polluted 0 | 1", "!/toString 6 | absent", "!/constructor absent | 2", "!/💥 absent | 3", "!/ absent | 4", "!/hasOwnProperty absent | 5"]);
  const made = a.put(base, ["__proto__", "polluted"], { is: "value", value: 9 });
  assert.equal(JSON.stringify(made), '{"__proto__":{"polluted":9},"toString":6}');
  assert.equal(/** @type {any} */ ({}).polluted, undefined, "no prototype was touched");
  assert.equal(JSON.stringify(a.put(made, ["__proto__"], { is: "absent" })), '{"toString":6}');
});

test("64 levels deep, and a hundred thousand members: bounded, and said so", () => {
  let deep = /** @type {unknown} */ (1);
  for (let i = 0; i < 64; i++) deep = { k: deep };
  assert.equal(lines(deep, deep)[0], `${"/k".repeat(64)} 1 | 1`);
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`m${i}`, i]));
  const { lines: some, more } = a.align(columns(wide, wide), [0, 1]);
  assert.equal(some.length, a.maxLines);
  assert.ok(more);
});

test("a cell is taken into the result: value, absence, element; nothing of the old document is altered", () => {
  const doc = { a: 1, list: [1, 2, 3], b: { c: 1 } };
  const before = JSON.stringify(doc);
  /** @param {(string | number)[]} steps @param {unknown} [value] */
  const put = (steps, value) => JSON.stringify(a.put(doc, steps, value === undefined ? { is: "absent" } : { is: "value", value }));
  assert.equal(put(["a"], 2), '{"a":2,"list":[1,2,3],"b":{"c":1}}');
  assert.equal(put(["a"]), '{"list":[1,2,3],"b":{"c":1}}');
  assert.equal(put(["list", 1]), '{"a":1,"list":[1,3],"b":{"c":1}}');
  assert.equal(put(["list", 9], 4), '{"a":1,"list":[1,2,3,4],"b":{"c":1}}', "no holes");
  assert.equal(put(["b", "d", "e"], 5), '{"a":1,"list":[1,2,3],"b":{"c":1,"d":{"e":5}}}');
  assert.equal(put(["a", "x"], 5), '{"a":{"x":5},"list":[1,2,3],"b":{"c":1}}');
  assert.equal(JSON.stringify(doc), before);
});

test("changed cells marked by sign and word", () => {
  /** @param {unknown} value @returns {import("../src/conflicts/align.ts").Cell} */
  const v = (value) => ({ is: "value", value });
  const absent = /** @type {const} */ ({ is: "absent" });
  assert.equal(a.markOf(v(1), v(1)), "same");
  assert.equal(a.markOf(v({ a: 1, b: 2 }), v({ b: 2, a: 1 })), "same", "the order of members says nothing");
  assert.equal(a.markOf(v(1), v(2)), "changed");
  assert.equal(a.markOf(v(1), absent), "added");
  assert.equal(a.markOf(absent, v(1)), "removed");
  assert.equal(a.markOf({ is: "deleted" }, v(1)), "deleted");
  assert.equal(a.markOf(v(1), { is: "unknown" }), null, "nobody knows what there was");
});

test("numbers with delta, exactly: never a wrong sum", () => {
  for (const [x, y, want] of [
    ["20", "120", "-100"], ["0.3", "0.1", "0.2"], ["0.1", "0.30", "-0.2"], ["12345678901234567890", "12345678901234567889", "1"], ["1e3", "1", "999"], ["1.10", "1.1", "0"],
    ["-0", "0", "0"], ["1E-3", "0", "0.001"], ["1e400", "0", `1${"0".repeat(400)}`], ["-1.5", "1.5", "-3"],
  ]) assert.equal(d.minus(x ?? "", y ?? ""), want, `${x} - ${y}`);
  for (const bad of ["", "x", "01x", "1e401", "1e-99999999999", "9".repeat(401), "NaN", "0x10"]) assert.equal(d.minus(bad, "1"), null, bad);
  assert.equal(d.signed("-100"), "−100");
  assert.equal(d.signed("5"), "+5");
  // The law: adding the difference again gives the number back, for any two decimals.
  for (let i = 0; i < 500; i++) {
    const p = i % 7;
    const x = (i * 7919) % 100_003;
    const y = (i * 104_729) % 99_991;
    const delta = d.minus(`${x}e-${p}`, `${y}e-${p}`) ?? "";
    assert.equal(d.minus(`${x}e-${p}`, delta), d.minus(`${y}e-${p}`, "0"));
  }
});

test("invalid JSON says line and column; a document is an object", () => {
  assert.deepEqual(draft.read('{"a":1}').doc, { a: 1 });
  assert.match(draft.read('{\n  "a": 1,\n}').fault ?? "", /^line 3, column 1: /);
  assert.match(draft.read('{"a":').fault ?? "", /^line 1, column 6: /);
  assert.match(draft.read('{"a": tru}').fault ?? "", /^line 1, column 11: /);
  assert.match(draft.read("[1]").fault ?? "", /object/);
  assert.match(draft.read("").fault ?? "", /^line 1, column 1: /);
});
