// The inbox of conflicts, in a browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";
import { gate } from "./gate.js";
import { longestTask } from "./tasks.js";
import { twins } from "./twins.js";

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
  for (const name of ["tills", "many"]) await cluster.put("a", `/v1/collections/${name}`, { policy: { kind: "manual" }, history: "24h" });
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/**
 * Looks at the screen in both themes: nothing broke, axe finds nothing, and there is a picture of it.
 * @param {string} node @param {string} at @param {string} name @param {(tab: Tab) => Promise<void>} look
 */
async function inBothThemes(node, at, name, look) {
  const tab = await Tab.open(browser, cluster.base(node), at);
  await look(tab);
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await tab.page.emulateMedia({ colorScheme });
    await tab.shoot(`conflicts-${name}-${colorScheme}`);
    await tab.sound();
  }
  await tab.close();
}

/** @param {string} collection */
const openIn = async (collection) => (await cluster.get("a", `/v1/conflicts?state=open&c=${collection}`)).conflicts;
const list = (/** @type {Tab} */ tab) => tab.page.locator(".rows");

test("healthy: an empty inbox says so, what that does not say, and the next command to type", async () => {
  await inBothThemes("a", "conflicts", "healthy", async (tab) => {
    await tab.see("No conflict is open, as far as a knows");
    await tab.see(/^syncline --node http:\S+ conflicts ls --state settled$/);
  });
});

test("a conflict settled by keyboard alone: from the list to the badge being 0", async () => {
  await cluster.conflict("tills");
  const tab = await Tab.open(browser, cluster.base("a"), "conflicts");
  const { keyboard } = tab.page;
  await tab.page.locator(".header").getByText("1 conflict open").waitFor();
  await list(tab).getByText("tills / k00000").waitFor();
  await keyboard.press("?");
  await tab.see("the next conflict");
  await keyboard.press("Escape");
  await tab.page.getByRole("dialog").waitFor({ state: "detached" });
  await keyboard.press("j");
  await tab.page.locator(".conflicts-key:focus").waitFor();
  await keyboard.press("Enter");
  await tab.page.getByRole("heading", { level: 1, name: "tills / k00000" }).waitFor();
  const focused = () => tab.page.evaluate(() => document.activeElement?.textContent ?? "");
  for (let i = 0; i < 80 && (await focused()) !== "Keep a’s value"; i++) await keyboard.press("Tab");
  assert.equal(await focused(), "Keep a’s value");
  await keyboard.press("Enter");
  await tab.see("You kept a’s value.");
  await tab.page.locator(".header").getByText("0 conflicts open").waitFor();
  assert.equal((await cluster.get("a", "/v1/docs/tills/k00000")).balance, 20);
  for (let i = 0; i < 20 && (await focused()) !== "Back to the list"; i++) await keyboard.press("Tab");
  await keyboard.press("Enter");
  await tab.see("No conflict is open, as far as a knows");
  tab.clean();
  await tab.close();
});

test('healed with conflicts: grouped by episode ("cut …: n conflicts, by LWW, open"); a row says key, sides, fields, policy, age and what was lost', async () => {
  await cluster.conflict("accounts", 3);
  await cluster.conflict("tills", 4);
  await until("three are settled by policy", async () => (await cluster.get("a", "/v1/conflicts?state=settled&by=policy")).conflicts.length === 3);
  await inBothThemes("a", "conflicts", "healed", async (tab) => {
    await tab.page.getByRole("link", { name: "Open 4" }).waitFor();
    await tab.page.getByRole("link", { name: "Settled 4" }).waitFor();
    await list(tab).getByRole("heading", { name: /^a and b: cut \d/ }).waitFor();
    await list(tab).getByText(/^\d conflicts, .*4 open$/).waitFor();
    const row = list(tab).getByRole("listitem").nth(1);
    for (const words of [/^a \d\d:\d\d:\d\d\.\d$/, /^b \d\d:\d\d:\d\d\.\d$/, "open, policy manual", /ago|just now/, "/balance: −100 not shown, of a"]) await row.getByText(words).first().waitFor();
    assert.match(await row.innerText(), /tills \/ k00000/);
  });
  const tab = await Tab.open(browser, cluster.base("a"), "conflicts?tab=settled", { width: 390, height: 800 });
  await list(tab).getByText("/balance: 20 lost, of a").first().waitFor();
  await list(tab).getByText("by LWW", { exact: true }).first().waitFor();
  const width = await tab.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `a phone scrolls in one direction only: ${width}`);
  await tab.sound();
  await tab.shoot("conflicts-settled-phone");
  await tab.page.getByLabel("ended by").selectOption("person");
  await until("only what a person ended is shown", async () => (await list(tab).getByRole("listitem").count()) === 2);
  assert.ok(tab.page.url().endsWith("tab=settled&by=person"));
  await tab.close();
});

test("bulk apply with preview: multi-select with shift, per outcome how many would become what, then apply", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "conflicts?c=tills");
  await list(tab).getByText("tills / k00003").waitFor();
  const { keyboard } = tab.page;
  await keyboard.press("j");
  await keyboard.press("x");
  for (const key of ["j", "j", "Shift+X"]) await keyboard.press(key);
  await tab.see("3 conflicts selected");
  const bulk = tab.page.getByRole("region", { name: "What is selected" });
  await bulk.getByText("look at the preview first").waitFor();
  await bulk.getByLabel("end them by").selectOption("node=a");
  await bulk.getByRole("button", { name: "Preview" }).click();
  await bulk.getByRole("row", { name: /3 become what a wrote, not what is shown now/ }).waitFor();
  assert.equal((await openIn("tills")).length, 4, "nothing was changed");
  await bulk.getByLabel("end them by").selectOption("newest");
  await bulk.getByText("look at the preview first").waitFor();
  await bulk.getByRole("button", { name: "Preview" }).click();
  await bulk.getByRole("row", { name: /3 become what is shown now/ }).waitFor();
  assert.equal((await twins(tab)).length, 3, "every action has its twins");
  await tab.sound();
  await tab.shoot("conflicts-bulk");
  await bulk.getByRole("button", { name: "Apply to 3 conflicts" }).click();
  await bulk.getByText("3 conflicts resolved, 0 failed, 0 skipped.").waitFor();
  await until("one is left in the list", async () => (await list(tab).getByRole("listitem").count()) === 2);
  assert.deepEqual((await openIn("tills")).map((/** @type {any} */ c) => c.doc_id), ["k00003"]);
  assert.equal((await cluster.get("a", "/v1/docs/tills/k00000")).balance, 70);
  tab.clean();
  await tab.close();
});

test("many records are marked as reviewed at once, and the tab Reviewed has them", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "conflicts?tab=settled&c=accounts");
  const bulk = tab.page.getByRole("region", { name: "What is selected" });
  await bulk.getByRole("button", { name: "all 3" }).click();
  await bulk.getByRole("button", { name: "Mark 3 records as reviewed" }).click();
  await tab.page.getByRole("link", { name: "Reviewed 3" }).click();
  await list(tab).getByText("accounts / k00002").waitFor();
  assert.equal((await cluster.get("a", "/v1/conflicts?state=reviewed")).conflicts.length, 3);
  await tab.close();
});

test("1,000 conflicts are scrolled: at most 200 rows in the DOM, no main-thread task over 100 ms, and it is live", async () => {
  await cluster.conflict("many", 1000);
  const tab = await Tab.open(browser, cluster.base("a"), "settings");
  await tab.page.locator(".header").getByText("1,001 conflicts open").waitFor();
  let most = 0;
  const longest = await longestTask(tab, async () => {
    await tab.page.goto(`${cluster.base("a")}/ui/#/conflicts?c=many`);
    await list(tab).getByText("many / k00000").waitFor();
    await tab.page.getByRole("link", { name: "Open 1,000" }).waitFor();
    most = await tab.page.evaluate(async () => {
      const box = document.querySelector(".rows");
      if (!box) throw new Error("no list");
      let most = 0;
      for (let at = 0; at <= box.scrollHeight; at += 800) {
        box.scrollTop = at;
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        most = Math.max(most, box.querySelectorAll(".rows-one").length);
      }
      return most;
    });
  });
  await list(tab).getByText("many / k00999").waitFor();
  assert.ok(most <= 200 && most > 5, `${most} rows`);
  console.log(`1,000 conflicts read and scrolled: longest task ${longest.toFixed(0)} ms, ${most} rows in the DOM`);
  assert.ok(longest <= 100, `a task of ${longest} ms`);
  const settled = await fetch(`${cluster.base("b")}/v1/conflicts/resolve`, { method: "POST", body: JSON.stringify({ pick: "newest", filter: { c: "many" } }), headers: { "Content-Type": "application/json" } });
  const { done, ok } = JSON.parse((await settled.text()).trim().split("\n").at(-1) ?? "");
  assert.deepEqual([done, ok], [true, 1000]);
  await tab.see("No conflict is open, as far as a knows, with these filters", 60_000);
  tab.clean();
  await tab.close();
});

test("cut: an episode that goes on, and the minority viewed: it takes no decision, and says who does", async () => {
  await cluster.cut("b", "w"); // or the witness might keep b
  await cluster.cut("a", "b");
  try {
    await lookDuringCut();
  } finally {
    await cluster.heal();
  }
});

async function lookDuringCut() {
  await until("b is read-only", async () => (await cluster.get("b", "/v1/cluster")).write.state === "read-only");
  const [left] = await openIn("tills");
  await inBothThemes("a", "conflicts", "cut", async (tab) => {
    await tab.page.locator(".strip").getByText(/a–b cut/).waitFor();
    await list(tab).getByText("tills / k00003").waitFor();
  });
  await inBothThemes("b", "conflicts", "minority", async (tab) => {
    await tab.page.locator(".header").getByText("Read-only: no majority").waitFor();
    await list(tab).getByText("tills / k00003").waitFor();
  });
  await inBothThemes("b", `conflicts/${left.id}`, "minority-detail", async (tab) => {
    await tab.see("b takes no writes now, so it will refuse a decision.");
    await tab.see(/cut \d\d:\d\d/);
    await tab.page.getByRole("button", { name: "Keep a’s value" }).click();
    await tab.page.locator(".act .trouble").getByText(/read_only/).waitFor();
    await tab.page.getByRole("button", { name: "Decide at a" }).waitFor();
  });
  const tab = await Tab.open(browser, cluster.base("b"), `conflicts/${left.id}`);
  await tab.page.getByLabel(/^Result, as JSON/).fill('{"balance": 33}');
  await tab.page.getByRole("button", { name: "Decide at a" }).click();
  await tab.see("as a says");
  await tab.page.getByRole("button", { name: "Write the result" }).click();
  await tab.see("You wrote the result.");
  assert.equal((await cluster.get("a", "/v1/docs/tills/k00003")).balance, 33, "what was typed went along to the other node");
  await tab.close();
}

test("rule 2: of a node that stands still nothing stays on the screen, neither list nor conflict, but what was typed", async () => {
  await cluster.conflict("tills");
  const [{ id }] = await openIn("tills");
  const inbox = await Tab.open(browser, cluster.base("b"), "conflicts");
  const one = await Tab.open(browser, cluster.base("b"), `conflicts/${id}`);
  await list(inbox).getByText("tills / k00000").waitFor();
  await one.page.getByLabel(/^Result, as JSON/).fill('{"n": 1}');
  await one.page.getByLabel("Why, for the record").fill("it was 1");
  await cluster.signal("b", "SIGSTOP");
  try {
    for (const tab of [inbox, one]) {
      await tab.see("No answer");
      await tab.see(/does not answer: silent for/);
      await tab.page.getByRole("button", { name: "Look at what a knows" }).waitFor();
    }
    assert.equal(await list(inbox).count(), 0);
    assert.equal(await one.page.getByText("Why this value").count(), 0);
    await one.page.getByRole("region", { name: "Your result" }).getByText('{"n": 1}').waitFor();
    await one.sound();
  } finally {
    await cluster.signal("b", "SIGCONT");
  }
  await list(inbox).getByText("tills / k00000").waitFor();
  await one.see("Why this value");
  assert.equal(await one.page.getByLabel(/^Result, as JSON/).inputValue(), '{"n": 1}');
  assert.equal(await one.page.getByLabel("Why, for the record").inputValue(), "it was 1");
  for (const tab of [inbox, one]) await tab.close();
  await cluster.writable("b");
  await cluster.writable("a");
});

test("more conflicts than are read unasked come by pages as the end of the list nears", async () => {
  const { conflicts } = await cluster.get("a", "/v1/conflicts?limit=1");
  const all = Array.from({ length: 2_600 }, (_, i) => ({ ...conflicts[0], id: i.toString(32).padStart(26, "a").replaceAll(/[0189]/g, "z"), doc_id: `n${String(i).padStart(5, "0")}` }));
  const context = await browser.newContext();
  const others = gate();
  await context.route(/\/v1\/conflicts\?/, async (route) => {
    const query = new URL(route.request().url()).searchParams;
    if (query.get("state") !== "open") await others.opened;
    const from = Number(query.get("cursor") ?? 0);
    const rows = query.get("state") === "open" ? all.slice(from, from + Number(query.get("limit"))) : [];
    const next = from + rows.length < all.length && rows.length > 0 ? String(from + rows.length) : null;
    await route.fulfill({ json: { conflicts: rows, next, meta: { open: all.length, records: 0 } } });
  });
  const tab = await Tab.open(browser, cluster.base("a"), "conflicts", { context });
  await list(tab).getByText("tills / n00000").waitFor();
  await tab.see(/of those read so far/);
  const known = async () => Number(await list(tab).getByRole("listitem").first().getAttribute("aria-setsize")) - 1; // without the heading
  await until("what is read unasked has come", async () => (await known()) === 2_000);
  for (const n of [2_250, 2_500, 2_600]) {
    await list(tab).evaluate((box) => (box.scrollTop = box.scrollHeight));
    await list(tab).getByText(`tills / n0${n < 2_600 ? n - 251 : 2_499}`).waitFor();
    others.open(); // the end was reached while something else was being read: it is asked for all the same, then
    await until(`${n} are known`, async () => (await known()) === n);
  }
  await list(tab).evaluate((box) => (box.scrollTop = box.scrollHeight));
  await list(tab).getByText("tills / n02599").waitFor();
  await tab.close();
});

test("an answer about many that breaks off is not taken for done: of the rest nothing is known", async () => {
  const context = await browser.newContext();
  const [{ id }] = await openIn("tills");
  const line = { conflict: id, collection: "tills", id: "k00000", pick: null, shown: null, same: false, status: 200, dot: null };
  await context.route("**/v1/conflicts/resolve", (route) => route.fulfill({ body: `${JSON.stringify(line)}\n`, contentType: "application/x-ndjson" }));
  const tab = await Tab.open(browser, cluster.base("a"), "conflicts", { context });
  const bulk = tab.page.getByRole("region", { name: "What is selected" });
  await bulk.getByRole("button", { name: "all 1", exact: true }).click();
  await bulk.getByRole("button", { name: "Preview" }).click();
  await bulk.getByText("Broken off after 1 of 1").waitFor();
  await bulk.locator(".trouble").getByText(/the answer broke off after 1 of 1/).waitFor();
  assert.ok(await bulk.getByRole("button", { name: "Apply to 1 conflict" }).isDisabled(), "without a whole preview nothing is applied");
  await tab.close();
});

test("node dead: what it knows is unknown since then; viewed, it is not reached, and others are offered", async () => {
  await cluster.signal("b", "SIGKILL");
  await inBothThemes("a", "conflicts", "dead", async (tab) => {
    await list(tab).getByText("tills / k00000").waitFor();
    await tab.see(/^what is in conflict at b is unknown since /);
  });
  const tab = await Tab.open(browser, cluster.base("a"), "conflicts");
  await list(tab).getByText("tills / k00000").waitFor();
  await tab.page.locator(".header select").selectOption("b");
  await tab.see("No answer");
  await tab.page.getByRole("link", { name: "Open unknown" }).waitFor();
  assert.equal(await list(tab).count(), 0, "nothing of what another node said stays");
  await tab.sound();
  await tab.shoot("conflicts-dead-viewed");
  await tab.page.getByRole("button", { name: "Look at what a knows" }).click();
  await list(tab).getByText("tills / k00000").waitFor();
  await tab.close();
  await cluster.launch("b");
});
