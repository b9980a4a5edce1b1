import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";
import { hold } from "./gate.js";
import { twins } from "./twins.js";

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
  await cluster.put("a", "/v1/collections/tills", { policy: { kind: "manual" } });
  await cluster.put("a", "/v1/docs/accounts/alice", { balance: 120 });
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** @param {string} name */
const settings = (name) => cluster.get("a", `/v1/collections/${name}`);

test("Settings: roster, collections and policies, timing with the worst case computed", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "settings");
  const { timing, build } = await cluster.get("a", "/v1/cluster");
  await tab.see(`${timing.bound_ms} ms: the lease`);
  const members = tab.page.getByRole("region", { name: "Members" });
  for (const name of ["a", "b", "w"]) await members.getByRole("row", { name: new RegExp(`^${name} .*${build}`) }).waitFor();
  await tab.page.getByRole("row", { name: /tills manual: a person decides/ }).waitFor();
  await tab.page.getByRole("row", { name: /^Tokens/ }).waitFor();
  tab.clean();
  await tab.close();
});

test("each member is asked itself: one that stands still is unknown since then, not as it was", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "settings");
  const row = tab.page.getByRole("region", { name: "Members" }).getByRole("row", { name: /^b / });
  await row.getByText("writable").waitFor();
  await cluster.signal("b", "SIGKILL");
  await row.getByText(/\? unknown since/).waitFor({ timeout: 30_000 });
  assert.equal(await row.getByText("writable").count(), 0);
  await tab.sound();
  await cluster.launch("b");
  await cluster.writable("b");
  await row.getByText("writable").waitFor({ timeout: 30_000 });
  await tab.close();
});

test("what is not built says what the API answers: each route that the table names answers 501", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "settings");
  const table = tab.page.getByRole("region", { name: "Not in this build" });
  const rows = table.getByRole("row").filter({ hasText: "501 not_built" });
  await rows.first().waitFor();
  const routes = (await rows.locator("code").allInnerTexts()).map((t) => t.split(" "));
  assert.ok(routes.length > 5);
  for (const [method = "", path = ""] of routes) {
    const { status, json } = await cluster.call("a", method, path, method === "GET" ? undefined : {});
    assert.equal(status, 501, `${method} ${path}`);
    assert.equal(json.code, "not_built");
  }
  assert.equal(await table.getByRole("button").count(), 0, "no dead buttons");
  await tab.close();
});

test("a policy is edited with an ETag guard; what is wrong is said beside its field", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "settings/stock");
  await tab.see("The defaults are in force.");
  const save = tab.page.getByRole("button", { name: "Save", exact: true });
  assert.equal(await save.isDisabled(), true);
  await tab.page.getByLabel("policy", { exact: true }).selectOption("merge");
  await tab.page.getByRole("button", { name: "Add a rule" }).click();
  await tab.page.getByLabel("path of rule 1").fill("count");
  await tab.see("a JSON pointer begins with /");
  await tab.page.getByLabel("path of rule 1").fill("/count");
  await tab.page.getByLabel("old versions").fill("720h");
  await save.click();
  await tab.see("Saved. It takes effect on each node as it arrives.");
  const { policy, history } = await settings("stock");
  assert.deepEqual([policy, history], [{ kind: "merge", rules: { "/count": "sum" } }, "720h"]);

  // What only the node can know comes back to the field that it is about.
  await tab.page.getByLabel("longest document").fill("99999999999");
  await save.click();
  await tab.page.locator(".settings-row", { hasText: "longest document" }).getByText(/limits\.body/).waitFor();
  await tab.sound();
  await tab.page.getByLabel("longest document").fill("2048");

  // Somebody else was faster.
  const faster = await cluster.call("a", "PATCH", "/v1/collections/stock", { records: "48h" }, { "Content-Type": "application/merge-patch+json" });
  assert.equal(faster.status, 200);
  await save.click();
  const trouble = tab.page.getByRole("alert").filter({ hasText: "Somebody else has configured it meanwhile" });
  await trouble.getByRole("row", { name: /\/limits\/body changed 1048576 2048/ }).waitFor();
  assert.equal((await settings("stock")).limits.body, 1048576, "nothing was written over unseen");
  await tab.shoot("settings-collision");
  await tab.sound();
  await trouble.getByRole("button", { name: "Write mine over it" }).click();
  await tab.see("Saved. It takes effect on each node as it arrives.");
  assert.equal((await settings("stock")).limits.body, 2048);

  // What the page shows as the command line's twin is what it sends.
  await tab.page.getByLabel("writers must say what they saw").check();
  const [first = ""] = await twins(tab);
  const command = first.split(" <<< ");
  assert.match(command[0] ?? "", /^syncline --node \S+ collections set stock --file - --if-match /);
  assert.equal(JSON.parse((command[1] ?? "").slice(1, -1)).require_context, true);
  await save.click();
  await until("it is saved", async () => (await settings("stock")).require_context === true);
  await tab.see("Saved. It takes effect on each node as it arrives.");

  // The form is open, and shows what was written, while that is read again.
  const body = tab.page.getByLabel("longest document");
  const read = await hold(tab.page, "**/v1/collections/stock", "GET");
  await body.fill("4096");
  await save.click();
  await read.asked;
  assert.equal(await body.inputValue(), "4096");
  await until("it is stored: nothing is changed yet", () => save.isDisabled());
  await body.fill("8192");
  await save.click();
  await until("what was typed meanwhile is saved", async () => (await settings("stock")).limits.body === 8192);
  await read.release();
  assert.equal(await body.inputValue(), "8192");

  tab.page.on("dialog", (d) => void d.accept());
  await tab.page.getByRole("button", { name: "Back to the defaults" }).click();
  await tab.see("The defaults are in force.");
  assert.equal((await settings("stock")).etag, null);
  tab.clean();
  await tab.close();
});

test("a conflict, and a node without a majority: the settings say so, and writing is greyed with why", async () => {
  await cluster.conflict("tills");
  const tab = await Tab.open(browser, cluster.base("b"), "settings");
  await tab.page.getByRole("row", { name: /tills.*1 document/ }).waitFor();
  await tab.sound();
  await tab.page.goto(`${cluster.base("b")}/ui/#/settings/tills`);
  await tab.page.getByLabel("policy", { exact: true }).selectOption("lww");
  const save = tab.page.getByRole("button", { name: "Save", exact: true });
  await until("it may be saved", async () => !(await save.isDisabled()));
  await cluster.cut("a", "b");
  await cluster.cut("b", "w");
  try {
    await tab.page.locator(".read-only").getByText("b takes no writes: no majority").waitFor();
    assert.equal(await save.isDisabled(), true);
    await tab.sound();
  } finally {
    await cluster.heal();
  }
  await tab.close();
});
