// The streams of the page: what it does when a node dies, stands still, or says no.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** What the frame says of the node viewed. @param {Tab} tab */
const viewing = (tab) => tab.page.locator(".viewing");
/** @param {Tab} tab @param {string} name */
const view = (tab, name) => tab.page.getByLabel("viewing").selectOption(name);

test("the page stays open while its own node dies and comes back: not reached since, the others live, then live again without a reload (issue 6)", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "chaos");
  await viewing(tab).getByText("Writable").waitFor();
  await tab.page.evaluate(() => void Object.assign(globalThis, { unloaded: false }));
  // The other screens are fetched ahead, since the node that has them may go.
  await until("all screens are at hand", () => tab.page.evaluate(() => performance.getEntriesByType("resource").filter((r) => /assets\/screen-.*js/.test(r.name)).length >= 9));
  await cluster.signal("a", "SIGKILL");
  await viewing(tab).getByText("not reached").waitFor();
  await viewing(tab).getByText(/since .*: no connection/).waitFor();
  assert.equal(await viewing(tab).getByText("Writable").count(), 0, "what was is not shown as what is");
  await view(tab, "b");
  await viewing(tab).getByText("Writable").waitFor();
  for (const screen of ["tour", "chaos"]) {
    await tab.page.goto(`${cluster.base("a")}/ui/#/${screen}`);
    await tab.page.locator("main h1").filter({ hasText: new RegExp(screen, "i") }).waitFor();
  }
  await tab.page.locator(".lanes-span.down").filter({ hasText: /not reached/ }).first().waitFor();
  await view(tab, "a");
  await tab.shoot("streams-own-node-dead");
  await cluster.launch("a");
  await cluster.writable("a");
  await viewing(tab).getByText("Writable").waitFor();
  assert.equal(await tab.page.evaluate(() => Reflect.get(globalThis, "unloaded")), false, "without a reload");
  tab.clean();
  await tab.close();
});

test("a node that stands still is silent within five seconds, and unknown; then it is back (rule 2)", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "chaos");
  await viewing(tab).getByText("Writable").waitFor();
  await view(tab, "b");
  await viewing(tab).getByText("Writable").waitFor();
  let least = Infinity; // of three at most: what else the machine does is no fault of the page
  for (let round = 0; round < 3 && least >= 5_000; round++) {
    const began = Date.now();
    await cluster.signal("b", "SIGSTOP");
    try {
      await viewing(tab).getByText("not reached").waitFor();
      least = Math.min(least, Date.now() - began);
      await viewing(tab).getByText(/silent for 3 s/).waitFor();
      await tab.page.locator(".header").getByText(/0 conflicts open, b unknown/).waitFor();
    } finally {
      await cluster.signal("b", "SIGCONT");
    }
    await cluster.writable("b");
    await viewing(tab).getByText("Writable").waitFor();
  }
  assert.ok(least < 5_000, `it took ${least} ms`);
  tab.clean();
  await tab.close();
});

test("a page that stood still itself takes no node for silent: what waits to be read comes first", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "chaos");
  await tab.page.locator('html[data-green="yes"]').waitFor(); // all three are heard
  await tab.page.locator(".header").getByText("vote: a and b").waitFor();
  /** @type {string[]} */ const begun = [];
  tab.page.on("request", (r) => void (new URL(r.url()).pathname === "/v1/events" && begun.push(r.url())));
  const { processInfo } = await (await browser.newBrowserCDPSession()).send("SystemInfo.getProcessInfo");
  const pages = processInfo.filter((p) => p.type === "renderer").map((p) => p.id);
  for (let round = 0; round < 2; round++) {
    for (const pid of pages) process.kill(pid, "SIGSTOP");
    await sleep(4_000);
    for (const pid of pages) process.kill(pid, "SIGCONT");
    await cluster.cut("a", "b");
    await tab.page.locator(".strip").getByText("a–b cut").waitFor();
    await cluster.heal();
    await tab.page.locator(".strip").waitFor({ state: "detached" });
  }
  assert.deepEqual(begun, [], "streams that were begun anew");
  tab.clean();
  await tab.close();
});

test("half of the processes unreachable: each is unknown, never 0 and never green; and they come back (rules 1 and 2)", async () => {
  const context = await browser.newContext();
  const blocked = (/** @type {URL} */ url) => ["b", "w"].some((name) => url.host === cluster.member(name).api);
  await context.route(blocked, (route) => route.abort());
  const tab = await Tab.open(browser, cluster.base("a"), "chaos", { context });
  await viewing(tab).getByText("Writable").waitFor();
  await tab.page.locator(".header").getByText("vote: unknown").waitFor();
  await tab.page.locator(".header").getByText("0 conflicts open, b unknown").waitFor();
  await tab.page.locator('html[data-green="no"]').waitFor();
  await tab.page.locator(".lanes-span.down").first().waitFor();
  await tab.sound();
  await context.unroute(blocked);
  await tab.page.locator('html[data-green="yes"]').waitFor();
  await tab.page.locator(".header").getByText("vote: a and b").waitFor();
  tab.clean();
  await tab.close();
});

test("the API is down when the page is opened: said with cause and remedy, and the page goes on trying (bad input: API down)", async () => {
  const context = await browser.newContext();
  await context.route("**/v1/**", (route) => route.abort());
  const tab = await Tab.open(browser, cluster.base("a"), "chaos", { context });
  await tab.see("This node does not answer");
  await tab.see("The page goes on trying");
  await tab.page.locator(".header").getByText("not connected").waitFor();
  await tab.sound();
  await context.unroute("**/v1/**");
  await viewing(tab).getByText("Writable").waitFor();
  assert.equal(await tab.page.getByText("This node does not answer").count(), 0);
  tab.clean();
  await tab.close();
});

test("a token that a node does not take, or takes no more: the page asks who you are, and sends what it is given (bad input: token expired)", async () => {
  let good = "first";
  /** @type {string[]} */ const sent = [];
  const context = await browser.newContext();
  await context.route("**/v1/**", async (route) => {
    if (route.request().method() === "POST") good = "second"; // the first has expired by then
    const token = route.request().headers()["authorization"];
    if (token === `Bearer ${good}`) {
      sent.push(new URL(route.request().url()).host);
      return route.continue();
    }
    const problem = { type: "/docs/problems/unauthorized", title: "No token", status: 401, code: "unauthorized", detail: token ? "this token has expired" : "this node wants a token", node: "a", trace_id: "x" };
    const headers = { "access-control-allow-origin": cluster.base("a"), "content-type": "application/problem+json" };
    return route.fulfill({ status: 401, headers, body: JSON.stringify(problem) });
  });
  const tab = await Tab.open(browser, cluster.base("a"), "chaos", { context });
  await tab.see("Who are you?");
  await tab.see("this node wants a token");
  assert.equal(await tab.page.getByText("does not answer").count(), 0, "it does answer");
  await tab.sound();
  await tab.page.getByLabel("Token").fill("first");
  await tab.page.getByRole("button", { name: "Go on" }).click();
  await viewing(tab).getByText("Writable").waitFor();
  await until("every process was sent the token", () => new Set(sent).size === 3);
  await tab.page.reload(); // it is kept for as long as the tab is open
  await viewing(tab).getByText("Writable").waitFor();

  await tab.page.getByRole("button", { name: "Put it on" }).click();
  await tab.see("this token has expired");
  await tab.page.getByLabel("Token").fill("second");
  await tab.page.getByRole("button", { name: "Go on" }).click();
  await until("the form has gone", async () => (await tab.page.getByText("Who are you?").count()) === 0);
  assert.equal(await tab.page.evaluate(() => document.cookie), "", "no cookies");
  tab.clean();
  await tab.close();
});

test("what a scope forbids is greyed, with the scope named, once a node has said so", async () => {
  const context = await browser.newContext();
  let refused = 0;
  await context.route("**/v1/chaos/faults", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    refused++;
    const problem = { type: "/docs/problems/forbidden", title: "Not with this token", status: 403, code: "forbidden", detail: "this needs the scope chaos", scope: "chaos", node: "a", trace_id: "x" };
    return route.fulfill({ status: 403, headers: { "access-control-allow-origin": cluster.base("a"), "content-type": "application/problem+json" }, body: JSON.stringify(problem) });
  });
  const tab = await Tab.open(browser, cluster.base("a"), "cluster", { context });
  await tab.page.locator(".cluster-label", { hasText: "Link a–b:" }).click();
  const cut = tab.page.getByRole("region", { name: "Link a–b" }).getByRole("button", { name: "Cut", exact: true });
  await cut.click();
  await cut.locator("xpath=..").getByText("your token lacks the scope chaos").waitFor();
  assert.ok(await cut.isDisabled());
  await tab.page.goto(`${cluster.base("a")}/ui/#/chaos`);
  await tab.page.getByText("your token lacks the scope chaos").first().waitFor();
  assert.ok(refused > 0);
  await tab.sound();
  await context.close();
});

test("seven tabs at once: one stream for each node, all live, and who closes the tab that reads hands over (DASHBOARD, Made of: one per node and browser)", async () => {
  const context = await browser.newContext();
  /** The streams that are open, by node. @type {Map<string, Set<import("playwright-core").Request>>} */ const open = new Map();
  let most = 0;
  context.on("request", (r) => {
    const url = new URL(r.url());
    if (url.pathname !== "/v1/events") return;
    const all = open.get(url.host) ?? new Set();
    open.set(url.host, all.add(r));
    most = Math.max(most, all.size);
  });
  const over = (/** @type {import("playwright-core").Request} */ r) => open.get(new URL(r.url()).host)?.delete(r);
  context.on("requestfailed", over);
  context.on("requestfinished", over);
  /** @type {Tab[]} */ const tabs = [];
  for (let i = 0; i < 7; i++) tabs.push(await Tab.open(browser, cluster.base("a"), "chaos", { context }));
  for (const tab of tabs) await viewing(tab).getByText("Writable").waitFor();
  assert.equal(most, 1, "streams of one node at once");
  assert.equal(open.size, 3, "one for each process");

  const [reader] = open.get(cluster.member("a").api) ?? [];
  const first = tabs.find((t) => t.page === reader?.frame().page());
  assert.ok(first, "one tab reads the stream of a");
  open.clear(); // the streams of a closed tab end without a word
  await first.page.close();
  const others = tabs.filter((t) => t !== first);
  await until("another tab reads the streams", () => (open.get(cluster.member("a").api)?.size ?? 0) === 1);
  // What happens in the cluster comes to all of them.
  await cluster.cut("a", "b");
  for (const tab of others) await tab.page.locator(".strip").getByText("a–b cut").waitFor();
  await cluster.heal();
  for (const tab of others) {
    await tab.page.locator(".strip").waitFor({ state: "detached" });
    await viewing(tab).getByText("Writable").waitFor();
  }
  assert.equal(most, 1, "streams of one node at once, also while one hands over to another");
  for (const tab of others) tab.clean();
  await context.close();
});
