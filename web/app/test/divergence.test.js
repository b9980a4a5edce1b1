import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
  await cluster.put("a", "/v1/docs/accounts/alice", { balance: 120 });
  await cluster.heal();
});
afterEach(() => cluster.heal());
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** @param {Tab} tab @param {string} node */
const row = (tab, node) => tab.page.locator(".divergence-matrix tbody tr").filter({ has: tab.page.locator("th", { hasText: new RegExp(`^${node}`) }) });

test('"identical" only when digests match at equal frontiers', async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "divergence");
  await tab.see(/Identical: 2 nodes have the same writes/);
  await row(tab, "b").getByText("has all").waitFor();
  await row(tab, "a").getByText("its own").waitFor();
  tab.clean();
  await tab.close();
});

test("during a cut: the browser reaches both sides and counts what neither knows, both values are shown side by side, and it counts down after it", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "divergence");
  await row(tab, "b").getByText("has all").waitFor();
  await cluster.cut("b", "w"); // so that a takes the write, however long it comes after the cut
  await cluster.cut("a", "b");
  await cluster.put("a", "/v1/docs/accounts/alice", { balance: 20, "<b>": "x" });
  await row(tab, "b").getByText(/lacks 1 write/).waitFor();
  await row(tab, "b").getByText(/b has not heard a for/).waitFor();
  await tab.page.getByRole("button", { name: "what differs at b" }).click();
  await tab.see(/1 that differ.*this browser compared what both list/);
  await tab.page.getByRole("button", { name: "accounts/alice" }).click();
  const values = tab.page.locator(".divergence-values");
  await values.getByText('"balance": 20').waitFor();
  await values.getByText('"balance": 120').waitFor();
  await values.getByRole("row", { name: "/balance changed 120 20" }).waitFor();
  await tab.page.getByRole("button", { name: "Verify now" }).click();
  await tab.see(/Not comparable yet/);
  assert.equal(await tab.page.getByText(/^Identical/).count(), 0);
  await tab.sound();
  await tab.shoot("divergence-cut");
  await cluster.heal();
  await row(tab, "b").getByText("has all").waitFor();
  await tab.see(/Identical: 2 nodes/); // asked again by itself
  await tab.page.getByRole("button", { name: "compare again" }).click();
  await tab.see(/No document differs. b compared its digests with a's/);
  await tab.close();
});

test('"?" and since when for what cannot be reached; another node\'s word is hearsay', async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "divergence", { width: 390 });
  await row(tab, "b").getByText("has all").waitFor();
  await cluster.signal("b", "SIGKILL");
  await row(tab, "b").getByText("hearsay: a says so, b does not answer").waitFor();
  await until("what b lacks is unknown", async () => (await row(tab, "b").getByText("?").count()) > 0);
  await tab.page.getByRole("button", { name: "Verify now" }).click();
  await tab.see("Unknown: b did not answer.");
  assert.equal(await tab.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "the page scrolls sideways");
  await tab.sound();
  await tab.shoot("divergence-dead-phone");
  await cluster.launch("b");
  await tab.see(/Identical: 2 nodes/);
  await tab.close();
});
