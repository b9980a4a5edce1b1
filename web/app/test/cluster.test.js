// The Cluster screen (DASHBOARD screen 1), against real processes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";
import { deaf } from "./deaf.js";

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

const label = (/** @type {Tab} */ at, /** @type {string} */ key) => at.page.locator(".cluster-label", { hasText: `Link ${key}:` });
const card = (/** @type {Tab} */ at, /** @type {string} */ name) => at.page.locator(".cluster-cards > section", { has: at.page.locator("h3", { hasText: new RegExp(`^${name}\\b`) }) });
const seat = (/** @type {Tab} */ at, /** @type {string} */ name) => at.page.locator(".cluster-seat", { has: at.page.locator("strong", { hasText: new RegExp(`^${name}$`) }) });
const verdict = (/** @type {Tab} */ at) => at.page.locator(".cluster-verdict");

/** The screen as it is now, in both themes and on a phone, without a fault of accessibility. @param {string} state @param {string} [at] */
async function looks(state, at = "a") {
  const t = await Tab.open(browser, cluster.base(at), "cluster");
  await t.page.locator(".lanes-span").first().waitFor({ state: "attached" });
  await t.page.locator(".cluster-verdict, .trouble").first().waitFor();
  for (const [colorScheme, width] of /** @type {["light" | "dark", number][]} */ ([["light", 1280], ["dark", 1280], ["light", 390]])) {
    await t.page.emulateMedia({ colorScheme });
    await t.page.setViewportSize({ width, height: 800 });
    await until(`${state}: no sideways scroll at ${width}`, () => t.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await t.shoot(`cluster-${state}-${colorScheme}-${width}`);
    await t.sound();
  }
  await t.close();
}

/** Notes when a label begins or ceases to have some words, by the clock that all pages share. @param {Tab} at @param {string} key @param {string} words @param {boolean} has */
async function watch(at, key, words, has) {
  await at.page.evaluate(
    ({ key, words, has }) => {
      const matches = () => [...document.querySelectorAll(".cluster-label")].some((e) => e.textContent?.startsWith(`Link ${key}:`) && e.textContent.includes(words) === has);
      Object.assign(window, { matchedAt: 0 });
      performance.clearResourceTimings(); // those that come now are the answers to what is done next, and find room
      const note = () => {
        if (!matches()) return;
        Object.assign(window, { matchedAt: performance.timeOrigin + performance.now() });
        observer.disconnect();
      };
      const observer = new MutationObserver(note);
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
      note();
    },
    { key, words, has },
  );
}

/** @param {Tab} at @returns {Promise<number>} */
async function matched(at) {
  const handle = await at.page.waitForFunction(() => Reflect.get(window, "matchedAt"));
  return Number(await handle.jsonValue());
}

/** When both ends of a link had answered a request of the chaos routes, since the page began to watch. @returns {Promise<number>} */
async function answered() {
  const handle = await tab.page.waitForFunction(() => {
    const ends = performance.getEntriesByType("resource").flatMap((e) => (e instanceof PerformanceResourceTiming && e.name.includes("/v1/chaos/faults") ? [e.responseEnd] : []));
    return ends.length >= 2 && performance.timeOrigin + Math.max(...ends);
  });
  return Number(await handle.jsonValue());
}

/** How long after the answers both pages say that the link is cut, or is not, in milliseconds. @param {Tab} other @param {boolean} cut @param {() => Promise<void>} press */
async function delay(other, cut, press) {
  const words = cut ? "cut by chaos" : "by chaos";
  await Promise.all([watch(tab, "a–b", words, cut), watch(other, "a–b", words, cut)]);
  await press();
  const seen = await Promise.all([matched(tab), matched(other)]);
  return Math.max(...seen) - (await answered());
}

test("healthy: who may write and until when, each link with its round trip, votes at their holders, green", async () => {
  await tab.page.locator(".cluster-verdict.good").waitFor();
  await tab.see("a and b take writes");
  await tab.see("Nothing is in conflict, and every node has all.");
  await label(tab, "a–b").getByText(/\d ms/).waitFor();
  for (const name of ["a", "b"]) {
    await until(`${name} holds three votes`, async () => (await seat(tab, name).locator(".cluster-token").count()) === 3);
    await card(tab, name).getByText(/3 of 3, needs 2/).waitFor();
    await card(tab, name).getByText(/^\d+\/s/).waitFor();
  }
  await seat(tab, "w").getByText(/vote: a and b, .* left/).waitFor();
  await looks("healthy");
});

test("a link is cut by a click: curl and command are shown, this page and a second browser say so within a second, and heal", async () => {
  const other = await Tab.open(browser, cluster.base("b"), "cluster");
  await label(other, "a–b").getByText(/ ms$/).waitFor();
  await label(tab, "a–b").click();
  const panel = tab.page.getByRole("region", { name: "Link a–b" });
  await panel.getByText(/a says up since/).first().waitFor();
  await panel.getByText(/b says up since/).first().waitFor();
  const twins = panel.locator(".row", { has: tab.page.getByRole("button", { name: "Cut", exact: true }) }).locator(".twins");
  await twins.getByRole("button").first().click();
  await twins.getByText(/syncline --node .* chaos cut a b --for 30s/).waitFor();
  assert.equal((await twins.locator("code").first().innerText()).split("\n").filter((l) => l.startsWith("curl -s -X POST")).length, 2, "one for each end");
  let [cut, healed] = [Infinity, Infinity]; // the least of three at most: what else the machine does is no fault of the page
  for (let round = 0; round < 3 && Math.max(cut, healed) >= 1_000; round++) {
    cut = Math.min(cut, await delay(other, true, () => panel.getByRole("button", { name: "Cut", exact: true }).click()));
    await label(tab, "a–b").getByText(/✂ cut by chaos, 0:\d\d left/).waitFor();
    await panel.getByRole("button", { name: "Cut", exact: true }).and(tab.page.locator('[aria-busy="false"]')).waitFor(); // both ends have answered
    healed = Math.min(healed, await delay(other, false, () => panel.getByRole("button", { name: "Heal this link" }).click()));
  }
  assert.ok(cut < 1_000, `seen ${Math.round(cut)} ms after the answer`);
  assert.ok(healed < 1_000, `healed ${Math.round(healed)} ms after the answer`);
  await panel.getByRole("button", { name: "Close" }).click();
  await other.close();
  await cluster.heal();
});

test("a link is cut by keyboard alone; Escape closes the panel", async () => {
  const { keyboard } = tab.page;
  await label(tab, "a–b").focus();
  await keyboard.press("Enter");
  await tab.page.locator("#cluster-panel-head:focus").waitFor();
  for (let i = 0; i < 20 && (await tab.page.evaluate(() => document.activeElement?.textContent)) !== "Cut"; i++) await keyboard.press("Tab");
  await keyboard.press("Enter");
  await label(tab, "a–b").getByText(/cut by chaos/).waitFor();
  await keyboard.press("Escape");
  await tab.page.locator("#cluster-panel").waitFor({ state: "detached" });
  await cluster.heal();
});

test("cut: only one side writes, the minority gets a hatched hull, what they lack of each other is unknown since when", async () => {
  await cluster.cut("a", "b");
  await verdict(tab).getByText(/Only [ab] takes writes/).waitFor();
  const minority = (await verdict(tab).innerText()).includes("Only a") ? "b" : "a";
  const majority = minority === "a" ? "b" : "a";
  await verdict(tab).getByText(new RegExp(`${minority} is read-only: no majority since .*it has 1 of 3 votes and needs 2`)).waitFor();
  await verdict(tab).getByText(`Write at ${cluster.base(majority)}`).waitFor();
  await verdict(tab).getByText(/What a and b lack of each other is unknown since/).waitFor();
  await tab.page.locator(".cluster-hull").waitFor({ state: "attached" }); // a stroke, which has no box of its own
  await seat(tab, minority).getByText("read-only").waitFor();
  await until("the vote is at the majority", async () => (await seat(tab, majority).locator(".cluster-token").count()) === 2 && (await seat(tab, minority).locator(".cluster-token").count()) === 1);
  assert.equal(await tab.page.locator(".cluster-verdict.good").count(), 0, "rule 1: a lag is unknown");
  await looks("cut", majority);
  await looks("minority", minority);
  // The timeline shows the same, in words too.
  await tab.page.getByText("State of each process in the last 15 minutes, as a table").click();
  const rows = tab.page.getByRole("region", { name: "State of each process" }).locator("tr");
  await rows.filter({ hasText: minority }).filter({ hasText: "read-only: no majority" }).first().waitFor();
  await rows.filter({ hasText: "fault" }).filter({ hasText: "a–b cut" }).first().waitFor();
  await cluster.heal();
});

test("both ends are asked, and where they differ the page says what each says", async () => {
  // Only a has the fault: b knows no cause, and says that it is up until it misses what does not come. This page does not hear it say more.
  const context = await browser.newContext();
  await context.addInitScript(deaf, { host: cluster.member("b").api, events: ["link"] });
  const one = await Tab.open(browser, cluster.base("a"), "cluster", { context });
  const open = async (/** @type {Tab} */ at) => {
    await label(at, "a–b").click();
    return at.page.getByRole("region", { name: "Link a–b" });
  };
  const said = await open(one);
  await said.getByText(/b says up since/).first().waitFor();
  await cluster.call("a", "POST", "/v1/chaos/faults", { from: "a", to: "b", kind: "cut", both: false, duration: "10m" });
  await said.getByText("they differ").first().waitFor();
  await said.getByText(/a says cut since .*by a fault that was put on it here; b says up/).waitFor();
  await label(one, "a–b").getByText(/a→b/).waitFor();
  await label(one, "a–b").getByText(/b→a/).waitFor();
  await one.close();
  await cluster.heal();
  const panel = await open(tab);
  for (const [button, words] of /** @type {[string, RegExp][]} */ ([["Slow", /slow by chaos \(50ms\)/], ["Lose", /30 % lost by chaos/], ["Flap", /flapping by chaos/]])) {
    await panel.getByRole("button", { name: button, exact: true }).click();
    await label(tab, "a–b").getByText(words).first().waitFor();
    await panel.getByRole("button", { name: button, exact: true }).and(tab.page.locator('[aria-busy="false"]')).waitFor(); // both ends have answered
    await panel.getByRole("button", { name: "Heal this link" }).click();
    await until(`${button} is healed`, async () => (await label(tab, "a–b").getByText(words).count()) === 0);
  }
  await panel.getByRole("spinbutton", { name: /^for/ }).fill("0");
  await panel.getByText(/every fault has an end/).first().waitFor();
  assert.ok(await panel.getByRole("button", { name: "Cut", exact: true }).isDisabled(), "rule 5: no fault without an end");
  await panel.getByRole("button", { name: "Close" }).click();
  await cluster.heal();
});

test("healed with conflicts: not green while one is open (rule 1)", async () => {
  await tab.page.locator(".cluster-verdict.good").waitFor();
  await cluster.conflict("tills");
  await verdict(tab).getByText("1 conflict is open.").waitFor();
  assert.equal(await tab.page.locator(".cluster-verdict.good").count(), 0);
  await verdict(tab).getByText("a and b take writes").waitFor();
  await looks("conflicts");
});

test("a node that stands still is unknown since then, never the last value; what others say of it is hearsay (rule 2)", async () => {
  await cluster.signal("b", "SIGSTOP");
  await seat(tab, "b").getByText("not reached").waitFor();
  await card(tab, "b").getByText(/unknown since/).first().waitFor();
  await card(tab, "b").getByText("a says").waitFor();
  await card(tab, "b").getByText("(hearsay)").waitFor();
  assert.doesNotMatch(await card(tab, "b").innerText(), /of 3, needs|free|\/s/);
  assert.equal(await seat(tab, "b").locator(".cluster-token").count(), 0);
  await verdict(tab).getByText(/b is not reached since .*silent for 3 s/).waitFor();
  await label(tab, "a–b").getByText(/silent for/).waitFor();
  await cluster.signal("b", "SIGCONT");
  await seat(tab, "b").locator(".cluster-token").first().waitFor();
});

test("a dead node is not reached; nobody writes without it and the witness: red, with cause, since when and remedy (rule 3)", async () => {
  await cluster.writable("a");
  await cluster.signal("b", "SIGKILL");
  await verdict(tab).getByText("Only a takes writes").waitFor();
  await seat(tab, "b").getByText("not reached").waitFor();
  await looks("dead");
  await cluster.signal("w", "SIGKILL");
  await tab.page.locator(".trouble").getByText("No node that this page reaches takes writes").waitFor();
  await tab.page.locator(".trouble").getByText(/What b does is unknown/).waitFor();
  await tab.page.locator(".trouble").getByText(/a is read-only: no majority/).waitFor();
  await tab.shoot("cluster-nobody");
  await tab.sound();
});

test("a process without --chaos takes no faults, and the page says so", async () => {
  await cluster.launch("w", false);
  await cluster.launch("b");
  await cluster.writable("b");
  await label(tab, "b–w").click();
  const panel = tab.page.getByRole("region", { name: "Link b–w" });
  await panel.getByText("w was started without --chaos.", { exact: true }).waitFor();
  assert.ok(await panel.getByRole("button", { name: "Cut", exact: true }).isDisabled());
  tab.clean();
});
