// The space-time diagram, the cuts behind it, and the episodes of a list, without a browser.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { source } from "./source.js";

/** @type {typeof import("../src/conflicts/spacetime.ts")} */ let s;
/** @type {typeof import("../src/conflicts/cuts.ts")} */ let c;
/** @type {typeof import("../src/conflicts/episodes.ts")} */ let e;
/** @type {typeof import("../src/conflicts/offset.ts")} */ let o;
before(async () => {
  [s, c, e, o] = await Promise.all([source("conflicts/spacetime.ts"), source("conflicts/cuts.ts"), source("conflicts/episodes.ts"), source("conflicts/offset.ts")]);
});

const noon = Date.parse("2026-11-21T12:00:00Z");
/** @param {number} seconds */
const at = (seconds) => new Date(noon + seconds * 1000).toISOString();

/** @param {string} dot @param {number | null} seconds @param {"before" | "sibling" | "result"} kind @param {Record<string, number> | null} clock @param {string[]} [loose] @returns {import("../src/conflicts/spacetime.ts").Version} */
const version = (dot, seconds, kind, clock, loose = []) => ({ dot, time: seconds === null ? null : noon + seconds * 1000, kind, deleted: false, label: "", clock: clock && new Map(Object.entries(clock)), loose });

const story = () => [
  version("a~1:1", 0, "before", {}),
  version("a~1:2", 10, "sibling", { "a~1": 1 }),
  version("b~1:1", 11, "sibling", { "a~1": 1 }),
  version("a~1:3", 200, "result", { "a~1": 2, "b~1": 1 }),
];

test("arrows are replication: from each version that another node's writer had seen, and only where no third is between", () => {
  const all = story();
  assert.deepEqual(s.seen(all).map(([v, w]) => `${v.dot} → ${w.dot}`), ["a~1:1 → a~1:2", "a~1:1 → b~1:1", "a~1:2 → a~1:3", "b~1:1 → a~1:3"]);
  const diagram = s.layout({ nodes: ["a", "b"], versions: all, cuts: [], blanks: [] });
  assert.deepEqual(diagram.arrows.map(({ from, to }) => `${from.version.dot} → ${to.version.dot}`), ["a~1:1 → b~1:1", "b~1:1 → a~1:3"], "along a lane no arrow is needed");
  assert.deepEqual(s.seen([version("a~1:1", 0, "sibling", {}), version("b~1:1", 1, "sibling", null)]), [], "what is not on record is not drawn");
  assert.equal(s.seen([version("c~1:7", 0, "before", {}), version("b~1:1", 1, "sibling", { "c~1": 5 }, ["c~1:7"])]).length, 1, "a dot beyond the vector counts too");
});

test("dots are versions in the order of their real times; what clocks name and nobody has here stands before, without a time", () => {
  const all = story().slice(1);
  const before = s.heads(all);
  assert.deepEqual(before.map((v) => [v.dot, v.time]), [["a~1:1", null]]);
  const { dots, ticks } = s.layout({ nodes: ["a", "b"], versions: [...before, ...all], cuts: [], blanks: [] });
  const x = (/** @type {string} */ dot) => dots.find((d) => d.version.dot === dot)?.x ?? NaN;
  assert.ok(x("a~1:1") < x("a~1:2") && x("a~1:2") < x("b~1:1") && x("b~1:1") < x("a~1:3"));
  assert.deepEqual(ticks.map((t) => t.since), ["", "+1.0 s", "+3:10 min"]);
  const twins = s.layout({ nodes: ["a"], versions: [version("a~1:1", 0, "sibling", {}), version("a~1:2", 0, "sibling", {})], cuts: [], blanks: [] }).dots;
  assert.notEqual(twins[0]?.x, twins[1]?.x, "two versions of one instant stay two dots");
});

test("a band is the cut: between the lanes of its nodes, from when to when, to the edge while it is on", () => {
  const cut = { between: /** @type {[string, string]} */ (["a", "b"]), from: noon + 5_000, to: noon + 100_000, cause: "", oneWay: "" };
  const scene = { nodes: ["a", "b", "c"], versions: story(), cuts: [cut], blanks: [] };
  const diagram = s.layout(scene);
  const [band] = diagram.bands;
  const x = (/** @type {string} */ dot) => diagram.dots.find((d) => d.version.dot === dot)?.x ?? NaN;
  assert.ok(band && band.x > x("a~1:1") && band.x < x("a~1:2") && band.x + band.width > x("b~1:1") && band.x + band.width < x("a~1:3"));
  assert.equal(band.height, s.sizes.lane);
  const open = s.layout({ ...scene, cuts: [{ ...cut, to: null }] });
  assert.equal((open.bands[0]?.x ?? 0) + (open.bands[0]?.width ?? 0), open.width);
  assert.deepEqual(s.layout({ ...scene, cuts: [{ ...cut, between: ["a", "x"] }] }).bands, [], "of no lane there is no band");
  assert.equal(s.layout({ nodes: [], versions: [], cuts: [], blanks: [] }).dots.length, 0);
});

/** @param {string} node @param {[number, string, string, string, string?][]} entries @param {{ from: number, to: number }[]} [unknown] @returns {import("../src/conflicts/cuts.ts").Kept} */
const past = (node, entries, unknown = []) => ({
  node, before: [],
  entries: entries.map(([seconds, state, from, to, kind = "link"]) => ({ time: at(seconds), kind, state, from, to, cause: "by a fault" })),
  unknown: unknown.map(({ from, to }) => ({ from: at(from), to: at(to), cause: "the process was down" })),
});

test("cuts are put together from the pasts of both ends, each pair and time once", () => {
  const cuts = c.cutsOf([
    past("a", [[9, "cut", "a", "b"], [9, "cut", "b", "a"], [60, "up", "a", "b"], [60.2, "up", "b", "a"], [300, "cut", "a", "b"], [320, "up", "a", "b"]]),
    past("b", [[9.3, "cut", "a", "b"], [9.3, "cut", "b", "a"], [60.1, "up", "a", "b"], [60.1, "up", "b", "a"], [100, "cut", "c", "a"]]),
  ]);
  assert.deepEqual(cuts.map((x) => [x.between.join("–"), (x.from - noon) / 1000, x.to && (x.to - noon) / 1000, x.oneWay]), [["a–b", 9, 60.2, ""], ["a–b", 300, 320, "a→b"]], "what b says of c and a is hearsay");
  assert.equal(c.cutDuring(cuts, ["a", "b"], noon + 10_000, noon + 11_000)?.to, noon + 60_200);
  assert.equal(c.cutDuring(cuts, ["a", "b"], noon + 100_000, noon + 110_000), null);
  assert.equal(c.cutDuring(cuts, ["a", "c"], noon + 10_000, noon + 11_000), null);
});

test("a cut that is on has no end; one that a process did not outlive ends where nothing is known", () => {
  assert.equal(c.cutsOf([past("a", [[9, "cut", "a", "b"]])])[0]?.to, null);
  const died = c.cutsOf([past("a", [[9, "cut", "a", "b"], [80, "started", "", "", "process"]], [{ from: 30, to: 80 }])]);
  assert.equal(died[0]?.to, noon + 30_000);
  assert.equal(c.blanksOf([past("a", [], [{ from: 30, to: 80 }])])[0]?.from, noon + 30_000);
});

/** @param {string} id @param {string} state @param {string | null} episode @param {[string, number][]} siblings @returns {import("../src/conflicts/shapes.ts").Summary} */
const summary = (id, state, episode, siblings) => ({
  id, state, episode, by: state === "open" ? null : "policy", collection: "accounts", doc_id: id, reason: "", open_reason: null, who: null, at: null, lost_count: 0,
  policy: { kind: "lww", version: null, resolver: null, resolver_version: null },
  siblings: siblings.map(([node, seconds]) => ({ dot: `${node}~1:1`, node, time: at(seconds), deleted: false, hidden: false, size: 1 })),
});

test('grouped by episode: "37 conflicts, 35 by LWW, 2 open"; open ones are where the nodes would put them', () => {
  const groups = e.episodesOf([
    summary("x", "settled", "first", [["a", 0], ["b", 1]]),
    summary("y", "reviewed", "first", [["a", 2], ["b", 3]]),
    summary("z", "open", null, [["b", 30], ["a", 31]]),
    summary("later", "open", null, [["a", 300], ["b", 301]]),
    summary("other", "open", null, [["a", 2], ["c", 4]]),
    summary("alone", "settled", null, [["a", 2], ["a", 3]]),
  ]);
  assert.deepEqual(groups.map((g) => `${g.nodes.join("–")} ${g.conflicts.map((one) => one.id).join(" ")}: ${e.tally(g)}`), [
    "a–b later: 1 conflict, 1 open",
    "a–b x y z: 3 conflicts, 2 by LWW, 1 open",
    "a–c other: 1 conflict, 1 open",
    "a alone: 1 conflict, 1 by LWW",
  ]);
});

test('"Why this value": a warning when the gap is within the measured clock offset', () => {
  const sides = [{ node: "a", time: at(0) }, { node: "b", time: at(0.7) }];
  const late = "b~1:1 is later than a~1:1 by 700ms; measured clock offset ";
  assert.deepEqual(o.gapWarning(sides, `${late}3ms`, []), { words: "700 ms apart; the clocks of a and b differ by 3 ms (measured).", warn: false });
  assert.match(o.gapWarning(sides, `${late}1.5s`, []).words, /^Warning: only 700 ms apart, and the clocks of a and b differ by 1\.5 s \(measured\)/);
  assert.ok(o.gapWarning(sides, `${late}700ms`, []).warn, "just as far apart is not told apart");
  assert.match(o.gapWarning(sides, "", [{ from: "b", to: "a", ms: -900 }]).words, /^Warning: .* 900 ms \(measured now\)/);
  assert.deepEqual(o.gapWarning(sides, "", []), { words: "700 ms apart. How far the clocks of a and b differ is not known.", warn: true });
  assert.match(o.gapWarning([{ node: "a", time: at(0) }, { node: "a", time: at(1) }], "", []).words, /by one clock/);
  for (const [text, ms] of /** @type {[string, number][]} */ ([["1m3.5s", 63_500], ["0s", 0], ["2.4s", 2_400], ["150µs", 0.15], ["3 ms", 3], ["1h2m0s", 3_720_000]])) {
    assert.equal(o.offsetIn(`x; measured clock offset ${text}`), ms, text);
  }
  assert.equal(o.offsetIn("x is later than y by 3ms"), null);
});
