import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";
import { hold } from "./gate.js";
import { twins } from "./twins.js";

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

const rule = "def resolve(conflict):\n    return conflict.siblings[-1].doc\n";
/** @param {Tab} tab */
const source = (tab) => tab.page.getByLabel("Source", { exact: true });
/** @param {Tab} tab */
const found = (tab) => tab.page.getByRole("region", { name: "What the node finds" });
/** @param {string} name */
const inForce = (name) => cluster.get("a", `/v1/resolvers/${name}`);

test("an empty list offers templates and the shipped rules; one is stored from there", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "resolvers");
  await tab.see("There are none yet.");
  await tab.sound();
  await tab.page.getByRole("link", { name: "from no_overdraft" }).click();
  await found(tab).getByText("All 9 tests passed.").waitFor();
  await found(tab).getByText(/Warnings: the result depends on grouping/).click();
  await found(tab).getByText(/grouping: settled one after the other/).first().waitFor();
  assert.equal(await source(tab).inputValue(), await readFile(new URL("../../../scripts/resolvers/no_overdraft.star", import.meta.url), "utf8"));
  await tab.page.getByRole("button", { name: "Save as a new version" }).click();
  await tab.page.getByRole("heading", { level: 1, name: "no_overdraft" }).waitFor();
  await tab.page.getByRole("link", { name: "Resolvers" }).last().click();
  await tab.page.getByRole("row", { name: /no_overdraft/ }).waitFor();
  tab.clean();
  await tab.close();
});

test("editor with line numbers and error marks: an invalid resolver is marked at its line, and cannot be stored", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "resolvers?new=my_rule");
  await found(tab).getByText("It compiles.").waitFor();
  await source(tab).fill("# one\n# two\ndef resolve(conflict)\n    return None\n");
  await found(tab).getByText("It does not compile:").waitFor();
  await tab.page.locator(".resolvers-mark", { hasText: "4" }).waitFor();
  assert.equal(await source(tab).getAttribute("aria-invalid"), "true");
  assert.equal(await tab.page.getByRole("button", { name: "Save as a new version" }).isDisabled(), true);
  await found(tab).getByRole("button", { name: "line 4:1" }).click();
  assert.equal(await source(tab).evaluate((t) => t instanceof HTMLTextAreaElement && t === document.activeElement && t.selectionStart), "# one\n# two\ndef resolve(conflict)\n".length);
  await tab.shoot("resolvers-invalid");
  await tab.sound();

  // A test that fails is marked where it fails.
  await source(tab).fill(`${rule}\ndef test_it():\n    assert_eq(1, 2)\n`);
  await found(tab).getByText("1 test of 1 failed:").waitFor();
  await tab.page.locator(".resolvers-mark", { hasText: "5" }).waitFor();

  tab.clean();
  await tab.close();
});

test("keyboard: Tab leaves the editor, Ctrl-] indents", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "resolvers?new=my_rule");
  await source(tab).fill("x = 1\ny = 2");
  await source(tab).press("Control+a");
  await source(tab).press("Control+]");
  assert.equal(await source(tab).inputValue(), "    x = 1\n    y = 2");
  await source(tab).press("Control+[");
  assert.equal(await source(tab).inputValue(), "x = 1\ny = 2");
  await source(tab).press("Tab");
  assert.equal(await source(tab).evaluate((t) => t === document.activeElement), false);
  assert.equal(await source(tab).inputValue(), "x = 1\ny = 2");
  await tab.close();
});

test("list and versions: a new version, a rollback, and a deletion", async () => {
  await cluster.put("a", "/v1/resolvers/newest", rule, { "Content-Type": "text/plain" });
  const first = (await inForce("newest")).hash;
  const tab = await Tab.open(browser, cluster.base("a"), "resolvers/newest");
  tab.page.on("dialog", (d) => void d.accept());
  await found(tab).getByText("Would all nodes agree?").waitFor();
  await source(tab).fill(`# the newest wins\n${rule}`);
  await tab.page.getByRole("button", { name: "Save as a new version" }).click();
  const rows = tab.page.getByRole("region", { name: "Versions", exact: true }).getByRole("row");
  await rows.nth(2).waitFor();
  const second = (await inForce("newest")).hash;
  assert.notEqual(second, first);
  const commands = await twins(tab);
  for (const words of [" resolver put newest ", " resolver dry-run newest ", " resolver rollback newest ", " resolver rm newest "]) assert.ok(commands.some((c) => c.includes(words)), words);
  await rows.filter({ hasText: first }).getByRole("button", { name: "Roll back to it" }).click();
  await rows.filter({ hasText: first }).getByText("in force").waitFor();
  await until("the first is in force", async () => (await inForce("newest")).hash === first);
  assert.equal(await source(tab).inputValue(), rule);

  // While a policy names it, it stays.
  await cluster.put("a", "/v1/collections/ruled", { policy: { kind: "script", resolver: "newest" } });
  await tab.page.getByRole("button", { name: "Delete newest" }).click();
  await tab.page.getByRole("alert").getByText(/resolver_in_use/).waitFor();
  await cluster.put("a", "/v1/collections/ruled", {});
  await tab.page.getByRole("button", { name: "Delete newest" }).click();
  await tab.page.getByRole("heading", { level: 1, name: "Resolvers" }).waitFor();
  assert.equal((await cluster.call("a", "GET", "/v1/resolvers/newest")).status, 404);
  tab.clean();
  await tab.close();
});

test("two people change one resolver: the second sees what happened, and nothing is lost", async () => {
  await cluster.put("a", "/v1/resolvers/shared", rule, { "Content-Type": "text/plain" });
  const tab = await Tab.open(browser, cluster.base("a"), "resolvers/shared");
  await source(tab).fill(`# mine\n${rule}`);
  await cluster.put("a", "/v1/resolvers/shared", `# theirs\n${rule}`, { "Content-Type": "text/plain" });
  await tab.page.getByRole("button", { name: "Save as a new version" }).click();
  const trouble = tab.page.getByRole("alert").filter({ hasText: "Somebody else has stored another version" });
  await trouble.getByText("# theirs").waitFor();
  assert.match((await inForce("shared")).source, /# theirs/);
  await tab.sound();
  await trouble.getByRole("button", { name: "Store mine as the next version" }).click();
  await until("mine is in force", async () => (await inForce("shared")).source === `# mine\n${rule}`);
  const { versions } = await cluster.get("a", "/v1/resolvers/shared/versions");
  assert.equal(versions.length, 3, "theirs is a version that can be brought back");

  // The editor is open, and shows what was written, while that is read again.
  const save = tab.page.getByRole("button", { name: "Save as a new version" });
  const read = await hold(tab.page, "**/v1/resolvers/shared", "GET");
  await source(tab).fill(`# again\n${rule}`);
  await save.click();
  await read.asked;
  assert.equal(await source(tab).inputValue(), `# again\n${rule}`);
  await until("it is stored: nothing is changed yet", () => save.isDisabled());
  await source(tab).fill(`# meanwhile\n${rule}`);
  await save.click();
  await until("what was typed meanwhile is in force", async () => (await inForce("shared")).source === `# meanwhile\n${rule}`);
  await read.release();
  assert.equal(await source(tab).inputValue(), `# meanwhile\n${rule}`);
  await tab.close();
});

test("an input and its output; dry run over the last N: same, changed and failed, each opens", async () => {
  await cluster.put("a", "/v1/collections/accounts", { policy: { kind: "lww", rules: { "/balance": "sum" } }, history: "720h" });
  await cluster.conflict("accounts", 3);
  const tab = await Tab.open(browser, cluster.base("a"), "resolvers/no_overdraft");
  await found(tab).getByText("All 9 tests passed.").waitFor();
  await tab.page.getByRole("button", { name: "Run it" }).click();
  await tab.page.getByText('It settles the conflict with: {"balance":20}').waitFor();
  await tab.see("note: rejected -50 from b: only 20 is left");

  const { conflicts } = await cluster.get("a", "/v1/conflicts?state=settled");
  await tab.page.getByLabel("input").selectOption(conflicts[0].id);
  await tab.page.getByRole("button", { name: "Run it" }).click();
  await tab.page.getByText(/It settles the conflict with:|It leaves the conflict to a person/).waitFor();

  await tab.page.getByRole("button", { name: "Dry run" }).click();
  await tab.see("Done: 3 conflicts.");
  const lines = (await (await fetch(`${cluster.base("a")}/v1/resolvers/no_overdraft/dry-run`, { method: "POST" })).text()).trim().split("\n");
  const counts = JSON.parse(lines.at(-1) ?? "");
  assert.equal(counts.records, 3);
  for (const outcome of ["same", "changed", "failed", "deferred", "unknown"]) await tab.page.getByRole("button", { name: `${outcome} ${counts[outcome]}`, exact: true }).waitFor();
  const record = JSON.parse(lines[0] ?? "");
  await tab.page.getByRole("button", { name: `accounts/${record.doc_id}` }).click();
  await tab.see("as it ended, by policy");
  assert.equal(await tab.page.getByRole("link", { name: `accounts/${record.doc_id}` }).getAttribute("href"), `#/conflicts/${record.id}`);
  await tab.sound();

  // A candidate that nobody has stored: it fails on each, and says so.
  await source(tab).fill('def resolve(conflict):\n    return {"n": conflict.siblings[0].doc["nothing"]}\n');
  await tab.see("The script has changed since.");
  await tab.page.getByRole("button", { name: "Dry run" }).click();
  await tab.page.getByRole("button", { name: "failed 3", exact: true }).waitFor();
  await tab.page.getByText('key "nothing" not in dict').first().waitFor();
  assert.match((await inForce("no_overdraft")).source, /An account/, "nothing was stored");
  await tab.shoot("resolvers-dry-run");
  tab.clean();
  await tab.close();
});
