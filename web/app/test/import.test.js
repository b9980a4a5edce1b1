import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";
import { twins } from "./twins.js";

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
let folder = "";
before(async () => {
  [cluster, browser, folder] = await Promise.all([Cluster.start(), launch(), mkdtemp(join(tmpdir(), "syncline-import-"))]);
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** @param {number} n */
const lines = (n) => Array.from({ length: n }, (_, i) => `{"id":"n${String(i).padStart(5, "0")}","doc":{"n": ${i}.0}}\n`).join("");
/** @param {string} collection */
const documents = async (collection) => (await cluster.get("a", `/v1/collections/${collection}`)).documents;

/** Opens the import of a collection with a file chosen. @param {string} collection @param {string} text */
async function choose(collection, text) {
  const path = join(folder, `${collection}.ndjson`);
  await writeFile(path, text);
  const tab = await Tab.open(browser, cluster.base("a"), `data/${collection}?import=file`);
  await tab.page.getByLabel("file").setInputFiles(path);
  await tab.page.getByRole("heading", { name: /\.ndjson:/ }).waitFor();
  return tab;
}

test("an import tells which lines were refused and why, and the others are applied", async () => {
  const tab = await choose("mixed", '{"id":"x","doc":{"a":1}}\nfoo\n{"id":"y","doc":3}\n{"id":"z","doc":{"a":1,"a":2}}\n\n{"doc":{}}\n{"id":"gone","delete":true}\n{"id":".","doc":{}}\n{"id":"x2","conflicts":2,"doc":{"é":"\\u00e9"}}');
  const refused = tab.page.getByRole("list", { name: /Lines that were refused/ });
  await refused.getByText("line 2", { exact: true }).waitFor();
  await refused.getByText("the key \"a\" is there twice").waitFor();
  assert.match((await twins(tab)).join(), / import mixed /);
  await tab.page.getByRole("button", { name: "Import 4 documents at a" }).click();
  await tab.see(/^Done: 2 lines applied, 6 refused/);
  await refused.getByText("line 8", { exact: true }).waitFor(); // by the node itself
  assert.equal(await documents("mixed"), 2);
  assert.equal(await (await fetch(`${cluster.base("a")}/v1/docs/mixed/x2`)).text(), '{"é":"\\u00e9"}', "bytes stay as they are");
  await tab.shoot("import-refused");
  await tab.sound();
  await tab.close();
});

test("an import that fails half way: the node loses its majority, the page says where it stopped, and goes on from there", async () => {
  const tab = await choose("half", lines(2000));
  let pieces = 0;
  await tab.page.route("**/v1/bulk/half", async (route) => {
    if (++pieces === 3) {
      await cluster.cut("a", "b");
      await cluster.cut("a", "w");
      await until("a takes no writes", async () => (await cluster.get("a", "/v1/cluster")).write.state === "read-only");
    }
    await route.continue();
  });
  await tab.page.getByRole("button", { name: "Import 2,000 documents at a" }).click();
  const trouble = tab.page.getByRole("alert").filter({ hasText: "The import stopped at line 1001" });
  await trouble.waitFor({ timeout: 30_000 });
  await trouble.getByText("1,000 lines applied, 1,000 not sent or not applied").waitFor();
  const go = tab.page.getByRole("button", { name: /Go on from line 1001 at a/ });
  await until("it cannot go on without a majority", () => go.isDisabled());
  await tab.shoot("import-stopped");
  await tab.sound();

  // Somebody looks at other screens meanwhile: the import waits.
  await tab.page.goto(`${cluster.base("a")}/ui/#/data/half`);
  await tab.page.getByRole("heading", { level: 1, name: "half" }).waitFor();
  await tab.page.goBack();
  await cluster.heal();
  await until("it may go on", async () => !(await go.isDisabled()));
  await go.click();
  await tab.see(/^Done: 2,000 lines applied/);
  assert.equal(await documents("half"), 2000);
  tab.clean();
  await tab.close();
});

test("lines whose answer was lost are unknown: going on looks at each before it sends it again", async () => {
  const tab = await choose("lost", lines(150));
  let pieces = 0;
  await tab.page.route("**/v1/bulk/lost", async (route) => {
    pieces++;
    await route.fetch(); // the node applies it, and the answer goes astray
    return route.abort("connectionreset");
  });
  await tab.page.getByRole("button", { name: "Import 150 documents at a" }).click();
  const trouble = tab.page.getByRole("alert").filter({ hasText: "The import stopped at line 1" });
  await trouble.getByText("150 of which nobody knows").waitFor();
  await tab.sound();
  await tab.page.getByRole("button", { name: "Go on from line 1 at a" }).click();
  await tab.see(/^Done: 150 lines applied/, 30_000);
  assert.equal(pieces, 1, "they were there, and were not sent again");
  assert.equal(await documents("lost"), 150);
  await tab.close();
});

test("an array in JSON is imported, and what is exported is imported again byte for byte", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "data/round?import=file");
  await tab.page.getByLabel("or paste it here").fill('[{"id":"a","doc":{\n "n": 1.10, "__proto__": {"x":1}}},\n {"id":"b/ü","doc":{"s":"\\u00e9"}}]');
  await tab.page.getByRole("button", { name: "Look at it" }).click();
  await tab.page.getByRole("button", { name: "Import 2 documents at a" }).click();
  await tab.page.getByRole("link", { name: "See round" }).click();
  await tab.page.getByRole("button", { name: "Export" }).click();
  const link = tab.page.getByRole("link", { name: "Save round.ndjson (2 documents)" });
  const [download] = await Promise.all([tab.page.waitForEvent("download"), link.click()]);
  const text = await readFile(await download.path(), "utf8");
  assert.equal(text, '{"id":"a","doc":{  "n": 1.10, "__proto__": {"x":1}}}\n{"id":"b/ü","doc":{"s":"\\u00e9"}}\n');
  tab.clean();
  await tab.close();
});
