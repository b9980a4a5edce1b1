// What the page takes for an answer, held against what the nodes say that they answer: /openapi.json, which the
// contract tests of the API hold against real answers.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { source } from "./source.js";

/** The schema of each decoder, by the module that has it. A path leads to a part of a schema: "Votes.log.[]"; a route means the answer to its GET. @type {Record<string, Record<string, string>>} */
const schemas = {
  "api/shapes.ts": {
    lag: "Lag", write: "Cluster.write", peer: "Cluster.peers.[]", roster: "Cluster", cluster: "Cluster", link: "Links.links.[]", voter: "Votes.voters.[]",
    voteEvent: "Votes.log.[]", votes: "Votes", fault: "Fault", resolverNames: "Resolvers", timeline: "Timeline", examples: "ResolverExamples", problem: "Problem",
  },
  "api/verify.ts": { verify: "Verify" },
  "chaos/shapes.ts": {
    scripts: "ChaosScripts", source: "/v1/chaos/scripts/{name}", presets: "ChaosPresets", placed: "ChaosPresetSet", step: "ChaosStep", timeline: "ChaosTimeline",
    verdict: "ChaosVerdict", run: "ChaosRun", runs: "ChaosRuns",
  },
  "conflicts/shapes.ts": {
    side: "ConflictSide", summary: "Conflicts.conflicts.[]", page: "Conflicts", conflict: "Conflict", explanation: "Explanation", history: "History",
    decided: "Decided", outcome: "ResolveResult",
  },
  "data/shapes.ts": {
    collections: "Collections", documents: "List", now: "Siblings", history: "History", changes: "Difference", explanation: "Explanation", written: "Written", result: "BulkResult",
  },
  "divergence/shapes.ts": { divergence: "Divergence", differences: "Differences", collections: "Collections", documents: "List" },
  "resolvers/shapes.ts": {
    resolvers: "Resolvers", one: "/v1/resolvers/{name}", versions: "ResolverVersions", outcome: "ScriptResult", findings: "Checked", checked: "Checked",
    replayed: "DryRunResult", past: "Conflicts",
  },
  "settings/shapes.ts": { process: "Cluster", version: "Version", collection: "Collection", collections: "Collections" },
  "tour/shapes.ts": { conflict: "Conflict", inbox: "Conflicts", checked: "Checked", config: "Collection" },
};

/** Decoders of what no schema of a data node describes, each with what it is. @type {Record<string, string[]>} */
const others = {
  "api/shapes.ts": ["witness", "logLine"], // the witness's own answer; an event
  "cluster/shapes.ts": ["ballots"], // the witness's own answer
  "settings/shapes.ts": ["described"], // openapi.json itself
  "tour/shapes.ts": ["account", "rejected"], // documents of the tour's own
};

/** @typedef {{ $ref?: string, allOf?: Schema[], oneOf?: Schema[], type?: string | string[], properties?: Record<string, Schema>, required?: string[], items?: Schema, additionalProperties?: Schema | boolean, enum?: unknown[], const?: unknown }} Schema */

/** @type {{ components: { schemas: Record<string, Schema> }, paths: Record<string, { get: { responses: Record<string, { content: Record<string, { schema: Schema }> }> } }> }} */
const described = JSON.parse(await readFile(new URL("../../../node/rest/openapi.json", import.meta.url), "utf8"));

/** A schema with what it refers to and consists of put together. @param {Schema} s @returns {Schema} */
function whole(s) {
  if (s.$ref) return whole(named(s.$ref.replace("#/components/schemas/", "")));
  if (s.oneOf) return whole(s.oneOf.find((one) => one.type !== "null") ?? {});
  return (s.allOf ?? []).map(whole).reduce((a, b) => ({ ...a, ...b, properties: { ...a.properties, ...b.properties }, required: [...(a.required ?? []), ...(b.required ?? [])] }), s);
}

/** @param {string} name @returns {Schema} */
function named(name) {
  const found = described.components.schemas[name];
  assert.ok(found, `openapi.json has no schema ${name}`);
  return found;
}

/** @param {string} path @returns {Schema} */
function schemaAt(path) {
  if (path.startsWith("/")) return whole(described.paths[path]?.get.responses["200"]?.content["application/json"]?.schema ?? assert.fail(`openapi.json has no ${path}`));
  const [name = "", ...steps] = path.split(".");
  return steps.reduce((/** @type {Schema} */ at, step) => {
    const next = step === "[]" ? at.items : at.properties?.[step];
    assert.ok(next, `openapi.json has no ${path}`);
    return whole(next);
  }, whole(named(name)));
}

/** How deep an answer has all that it may have: schemas refer to themselves. */
const depth = 8;

/** An answer that the schema allows: with as little as it may have, or with all that it may have. @param {Schema} of @param {"least" | "all"} wanted @param {number} [at] @returns {unknown} */
function answer(of, wanted, at = 0) {
  const much = at < depth ? wanted : "least";
  const nullable = of.type?.includes("null") || of.oneOf?.some((one) => one.type === "null");
  if (nullable && much === "least" && at > 0) return null;
  const s = whole(of);
  if ("const" in s) return s.const;
  if (s.enum) return s.enum.find((one) => one !== null);
  const type = [s.type].flat().find((one) => one !== "null");
  if (type === "array") return much === "all" && s.items ? [answer(s.items, wanted, at + 1)] : [];
  if (type === "string") return "2026-01-01T00:00:00Z";
  if (type === "boolean") return true;
  if (type === "integer" || type === "number") return 1;
  if (type !== "object" && !s.properties) return { any: ["JSON"] };
  const members = Object.entries(s.properties ?? {}).filter(([name]) => much === "all" || s.required?.includes(name));
  const out = members.map(([name, one]) => [name, answer(one, wanted, at + 1)]);
  if (much === "all" && typeof s.additionalProperties === "object") out.push(["key", answer(s.additionalProperties, wanted, at + 1)]);
  return Object.fromEntries(out);
}

for (const [module, decoders] of Object.entries(schemas)) {
  test(`what the API may answer is understood: ${module}`, async () => {
    /** @type {Record<string, (value: unknown, path: string) => unknown>} */
    const exported = await source(module);
    for (const [name, path] of Object.entries(decoders)) {
      for (const much of /** @type {const} */ (["least", "all"])) {
        assert.doesNotThrow(() => exported[name]?.(answer(schemaAt(path), much), ""), `${name} of ${path} with ${much}`);
      }
      assert.throws(() => exported[name]?.("a text", ""), `${name} takes anything`);
    }
  });
}

test("every decoder of a screen has its schema", async () => {
  const src = fileURLToPath(new URL("../src/", import.meta.url));
  const modules = (await readdir(src, { recursive: true })).filter((name) => name.endsWith("shapes.ts"));
  for (const module of modules) {
    const known = [...Object.keys(schemas[module] ?? {}), ...(others[module] ?? [])].sort();
    assert.deepEqual(Object.keys(await source(module)).sort(), known, module);
  }
});
