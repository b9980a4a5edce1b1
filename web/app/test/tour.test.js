import assert from "node:assert/strict";
import { after, before, test } from "node:test";
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

/** @param {string} name */
const alice = (name) => cluster.get(name, "/v1/docs/tour/alice");

/** Presses a button of the tour. @param {Tab} tab @param {string} name */
async function press(tab, name) {
  await tab.page.getByRole("button", { name, exact: true }).click();
}

/** @param {Tab} tab @param {string} title */
const step = (tab, title) => tab.page.locator(".tour-step.now h2").filter({ hasText: title }).waitFor();
/** A step that passes by itself stays as one that is done. @param {Tab} tab @param {string} title */
const passed = (tab, title) => tab.page.locator(".tour-step:not(.now) h2").filter({ hasText: title }).waitFor();

test("the first minute, clicked through to its end: each step does the true thing (DASHBOARD, The first minute)", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "tour");
  await step(tab, "Alice has 120");
  await tab.sound();
  await press(tab, "Put 120 on the account");
  await step(tab, "Cut the link");
  assert.equal((await alice("b")).balance, 120);
  await tab.see("balance 120");
  await tab.shoot("tour-1-start");

  await press(tab, "Cut the link");
  await tab.see("cut by chaos");
  await passed(tab, "The lease runs out");
  assert.deepEqual([(await alice("a")).balance, (await alice("b")).balance], [20, 70]);
  await tab.shoot("tour-2-cut");
  await step(tab, "A third write");
  const landed = await tab.page.getByText(/[ab] takes writes, [ab] does not/).innerText();
  const [, winner = "", loser = ""] = /([ab]) takes writes, ([ab]) does not/.exec(landed) ?? [];

  await press(tab, `Take 10 more at ${loser}`);
  await tab.see("503 read_only");
  await tab.page.getByRole("button", { name: "And with ack=majority?" }).click();
  await tab.see("it answered 501 not_built, and wrote nothing");
  await tab.shoot("tour-3-refused");
  await tab.see(new RegExp(`"writable_nodes": \\[\\s*"${cluster.base(winner)}"`));
  await tab.sound();

  await press(tab, "Heal");
  await step(tab, "1 conflict");
  await tab.page.locator(".header").getByText("1 conflict open").waitFor();
  await tab.see("a lacks nothing, b lacks nothing");
  await tab.see("Last-write-wins shows 70: a's −100 is lost");
  assert.equal(await tab.page.locator(".tour-three tbody").innerText().then((t) => t.replace(/\s+/g, " ")), "/balance 120 20 (−100) 70 (−50) 70");

  await press(tab, "Try sum_deltas");
  await tab.see("sum_deltas, as a dry run: -30, an overdraft: this is not the bank's rule");
  await press(tab, "Try no_overdraft");
  await tab.see("no_overdraft, as a dry run: 20 with -50 of b in rejected: rejected -50 from b: only 20 is left");
  assert.equal((await cluster.call("a", "GET", "/v1/docs/tour/alice")).headers.get("Conflict-Count"), "2", "a dry run decides nothing");
  await tab.shoot("tour-4-decide");
  await tab.sound();

  await press(tab, "Apply no_overdraft");
  await tab.see("Both show 20");
  await tab.see("The digests are equal, at equal frontiers");
  await tab.page.locator('html[data-green="yes"]').waitFor();
  for (const name of ["a", "b"]) assert.equal((await alice(name)).balance, 20);
  const [one, two] = await Promise.all(["a", "b"].map(async (name) => (await cluster.get(name, "/v1/verify")).collections.tour.digest));
  assert.equal(one, two);
  assert.ok(await tab.page.getByTitle(one).count(), "the digests shown are those of the nodes");
  for (const place of ["#/chaos", "#/data/tour/alice", "#/conflicts"]) assert.ok(await tab.page.locator(`main a[href="${place}"]`).count(), place);
  await tab.shoot("tour-5-done");
  await tab.sound();
  await tab.close();
});

test("it goes on after a reload in the middle, in another tab too, and may be done twice (issue 6: resumable)", async () => {
  const tab = await Tab.open(browser, cluster.base("b"), "tour");
  await press(tab, "Put 120 on the account");
  await step(tab, "Cut the link");
  await tab.page.reload();
  await step(tab, "Cut the link");
  await press(tab, "Cut the link");
  await step(tab, "A third write");
  await tab.page.reload();
  await step(tab, "A third write");
  assert.ok((await tab.page.locator(".tour-wire li").count()) >= 4, "what was sent and answered is still there");
  await tab.page.getByRole("button", { name: /^Take 10 more at/ }).click();
  await step(tab, "Heal");
  await tab.page.reload();
  await step(tab, "Heal");
  await press(tab, "Heal");
  await step(tab, "1 conflict");

  const other = await Tab.open(browser, cluster.base("a"), "tour", { theme: "dark", width: 390, height: 844 });
  await step(other, "1 conflict");
  await press(other, "Try no_overdraft");
  await press(other, "Apply no_overdraft");
  await other.see("The digests are equal");
  await other.shoot("tour-phone-dark");
  assert.ok(await other.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than a phone");
  await other.sound();
  await other.close();

  await tab.see("Both show 20"); // it sees how somebody else has ended the conflict
  await tab.see("The digests are equal");
  await press(tab, "Begin again");
  await step(tab, "Cut the link");
  assert.equal((await alice("a")).balance, 120);
  tab.clean();
  await tab.close();
});

test("an earlier tour that was left with its conflict open does not stand in the way", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "tour");
  await press(tab, "Put 120 on the account");
  await step(tab, "Cut the link");
  await press(tab, "Cut the link");
  await step(tab, "A third write");
  await tab.page.getByRole("button", { name: "Heal everything" }).click(); // the frame's button, in the middle of the story
  await step(tab, "1 conflict");
  await tab.close();
  const next = await Tab.open(browser, cluster.base("a"), "tour");
  await step(next, "1 conflict");
  await press(next, "Try no_overdraft");
  await press(next, "Apply no_overdraft");
  await next.see("Both show 20");
  await until("no conflict is open", async () => (await cluster.get("a", "/v1/cluster")).conflicts.open === 0);
  next.clean();
  await next.close();
});

test("a cluster of another shape is told what the tour needs, and the command (DASHBOARD: an empty state shows the next command)", async () => {
  const three = await Cluster.start({ nodes: 3, witness: false });
  try {
    const tab = await Tab.open(browser, three.base("a"), "tour");
    await tab.see("this one has 3 data nodes and 0 witnesses");
    await tab.see("syncline demo");
    await tab.sound();
    await tab.close();
  } finally {
    await three.stop();
  }
});
