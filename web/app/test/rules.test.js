// The five rules of the page, each by its counter-example, on every screen.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";

const screens = ["cluster", "divergence", "conflicts", "resolvers", "chaos", "data", "metrics", "settings", "tour"];

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
/** @type {Tab} */ let tab;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
  await cluster.put("a", "/v1/collections/tills", { policy: { kind: "manual" } });
  await cluster.put("a", "/v1/docs/calm/alice", { balance: 120 });
  await cluster.heal();
  tab = await Tab.open(browser, cluster.base("a"), "cluster");
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** @param {string} screen */
async function visit(screen) {
  await tab.page.goto(`${cluster.base("a")}/ui/#/${screen}`);
  await tab.page.locator("main h1").first().waitFor();
}

/** What the screen shows in a colour of the style, as its words. @param {"good" | "bad"} name @returns {Promise<string[]>} */
function shownIn(name) {
  return tab.page.evaluate((name) => {
    // The colour itself, not the variable: rule 1 takes the variable away.
    const declared = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).find((r) => r instanceof CSSStyleRule && r.selectorText === ":root" && r.style.getPropertyValue(`--${name}`));
    const probe = document.createElement("i");
    document.body.append(probe);
    probe.style.color = declared instanceof CSSStyleRule ? declared.style.getPropertyValue(`--${name}`) : "";
    const colour = getComputedStyle(probe).color;
    probe.remove();
    const has = (/** @type {Element} */ e) => {
      const s = getComputedStyle(e);
      if (!e.getClientRects().length || s.visibility === "hidden") return false;
      const text = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim());
      const drawn = e instanceof SVGElement && (s.fill === colour || s.stroke === colour);
      return drawn || s.backgroundColor === colour || (text && s.color === colour);
    };
    return [...document.body.querySelectorAll("*")].filter(has).map((e) => `${e.tagName} ${e.getAttribute("class") ?? ""}: ${e.textContent?.trim().slice(0, 60)}`);
  }, name);
}

test("a healthy cluster is green, so the counter-examples below can fail", async () => {
  await visit("cluster");
  await until("something is green", async () => (await shownIn("good")).length > 0);
});

test("rule 1: never green while a lag is unknown", async () => {
  await cluster.signal("b", "SIGSTOP");
  try {
    await tab.page.locator('html[data-green="no"]').waitFor();
    for (const screen of screens) {
      await visit(screen);
      assert.deepEqual(await shownIn("good"), [], screen);
    }
  } finally {
    await cluster.signal("b", "SIGCONT");
  }
  await cluster.writable("b");
  await tab.page.locator('html[data-green="yes"]').waitFor();
});

test("rule 1: never green while a conflict is open; the badge says how many", async () => {
  await cluster.conflict("tills");
  await tab.page.locator('html[data-green="no"]').waitFor();
  for (const screen of screens) {
    await visit(screen);
    assert.deepEqual(await shownIn("good"), [], screen);
    await tab.page.locator(".header").getByText("1 conflict open").waitFor();
  }
});

test("rule 2: a node that stands still is unknown since then, and nothing of what it said stays", async () => {
  await visit("cluster");
  await cluster.signal("b", "SIGSTOP");
  try {
    await tab.page.locator(".header select").selectOption("b");
    const header = tab.page.locator(".header");
    await header.getByText("not reached").waitFor();
    await header.getByText(/since.*silent for 3 s/).waitFor();
    await header.getByText(/b unknown/).waitFor(); // of the conflicts
    assert.equal(await header.getByText("Writable").count(), 0);
    for (const screen of screens) {
      await visit(screen);
      await header.getByText("not reached").waitFor();
    }
  } finally {
    await cluster.signal("b", "SIGCONT");
  }
  await tab.page.locator(".header").getByText("Writable").waitFor();
  await tab.page.locator(".header select").selectOption("a");
});

test("rule 3: everything red says the cause, since when, and what you can do", async () => {
  await cluster.signal("b", "SIGKILL");
  await tab.page.locator('html[data-green="no"]').waitFor();
  await cluster.signal("w", "SIGKILL"); // a alone has one vote of three
  await tab.page.locator(".header").getByText("Read-only: no majority").waitFor();
  let red = 0;
  for (const screen of screens) {
    await visit(screen);
    const bare = await tab.page.evaluate((red) => red.length, await shownIn("bad"));
    red += bare;
    const troubles = tab.page.locator(".trouble");
    for (let i = 0; i < (await troubles.count()); i++) {
      const trouble = troubles.nth(i);
      assert.ok((await trouble.locator("strong").first().innerText()).trim(), `${screen}: what`);
      assert.ok((await trouble.locator("p, li").first().innerText()).trim(), `${screen}: the cause`);
      assert.ok((await trouble.locator(".remedy").first().innerText()).trim(), `${screen}: what to do`);
    }
    assert.deepEqual(await redOutsideOfTroubles(), [], `${screen}: red without a cause`);
  }
  assert.ok(red > 0, "something is red in a cluster that nobody can write to");
  await Promise.all([cluster.launch("b"), cluster.launch("w")]);
  await cluster.writable("a");
});

/** Red text that is in no box with cause and remedy. */
async function redOutsideOfTroubles() {
  const red = await shownIn("bad");
  const boxed = await tab.page.evaluate(() => [...document.querySelectorAll(".trouble, .trouble *")].map((e) => `${e.tagName} ${e.getAttribute("class") ?? ""}: ${e.textContent?.trim().slice(0, 60)}`));
  return red.filter((one) => !boxed.includes(one));
}

test("rule 4: every action shows its curl and its command-line twin, to copy", async () => {
  let actions = 0;
  for (const screen of screens) {
    await visit(screen);
    const acts = tab.page.locator(".act");
    for (let i = 0; i < (await acts.count()); i++) {
      const act = acts.nth(i);
      if (!(await act.isVisible())) continue;
      actions++;
      await act.locator(".twins button").first().click();
      const lines = await act.locator(".twin-box code").allInnerTexts();
      assert.ok(lines.some((l) => l.startsWith("curl ")) && lines.some((l) => l.startsWith("syncline ")), `${screen}: ${lines.join(" | ")}`);
      await act.locator(".twins button").first().click();
    }
  }
  assert.ok(actions > 0);
});
