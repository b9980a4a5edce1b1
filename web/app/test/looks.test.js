// How every place of the page looks: in both themes, on a phone, with and without motion, healthy and healed with
// conflicts. What a screen does is in the test of its own.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";

/** @typedef {import("playwright-core").Page} Page */

const wide = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };

/** Each place, by the name of its picture: where it is, and what is there once it is whole. @type {Record<string, [string, (page: Page) => import("playwright-core").Locator]>} */
const places = {
  cluster: ["cluster", (p) => p.locator(".lanes-span").first()],
  divergence: ["divergence", (p) => p.locator(".divergence-matrix").getByText("its own").first()],
  conflicts: ["conflicts", (p) => p.getByText(/No conflict is open|tills \/ k00000/).first()],
  resolvers: ["resolvers", (p) => p.getByRole("row", { name: /no_overdraft/ })],
  resolver: ["resolvers/no_overdraft", (p) => p.getByText("All 9 tests passed.")],
  chaos: ["chaos", (p) => p.getByRole("button", { name: "Run split_brain", exact: true })],
  data: ["data", (p) => p.getByRole("link", { name: "accounts" })],
  "data-list": ["data/accounts", (p) => p.getByText("1 document, read")],
  "data-document": ["data/accounts/alice", (p) => p.getByRole("heading", { name: /^From / }).first()],
  "data-conflict": ["data/tills/k00000", (p) => p.getByRole("heading", { name: /^From |^k00000$/ }).first()],
  "data-absent": ["data/accounts/nobody", (p) => p.getByRole("heading", { name: "nobody" })],
  "data-import": ["data/accounts?import=file", (p) => p.getByRole("heading", { name: "Import into accounts" })],
  metrics: ["metrics", (p) => p.locator(".metrics-plot canvas").nth(7)],
  settings: ["settings", (p) => p.getByRole("row", { name: /^Tokens/ })],
  "settings-collection": ["settings/tills", (p) => p.getByLabel("policy", { exact: true })],
  tour: ["tour", (p) => p.locator("main h1")],
};

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
/** @type {Tab} */ let tab;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
  await cluster.put("a", "/v1/collections/tills", { policy: { kind: "manual" }, history: "24h" });
  await cluster.put("a", "/v1/resolvers/no_overdraft", await readFile(fileURLToPath(new URL("../../../scripts/resolvers/no_overdraft.star", import.meta.url)), "utf8"), { "Content-Type": "text/plain" });
  await cluster.put("a", "/v1/collections/accounts", { history: "24h" });
  for (const balance of [100, 120]) await cluster.put("a", "/v1/docs/accounts/alice", { balance });
  await cluster.heal();
  tab = await Tab.open(browser, cluster.base("a"), "cluster");
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** @param {string} at @param {(page: Page) => import("playwright-core").Locator} whole */
async function visit(at, whole) {
  await tab.page.goto(`${cluster.base("a")}/ui/#/${at}`);
  await whole(tab.page).waitFor();
}

/** In both themes nothing is wrong with a place. @param {string} name */
async function sound(name) {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await tab.page.emulateMedia({ colorScheme });
    await tab.shoot(`${name}-${colorScheme}`);
    await tab.sound();
  }
}

/** What moves, or would when it changes. @returns {Promise<string[]>} */
const moving = () =>
  tab.page.evaluate(() => {
    const seconds = (/** @type {string} */ list) => Math.max(...list.split(",").map(parseFloat));
    const moves = (/** @type {Element} */ e) => {
      const s = getComputedStyle(e);
      return seconds(s.transitionDuration) > 0 || (s.animationName !== "none" && seconds(s.animationDuration) > 0) || s.scrollBehavior === "smooth";
    };
    return [...document.querySelectorAll("*")].filter(moves).map((e) => `${e.tagName} ${e.getAttribute("class") ?? ""}`);
  });

for (const [name, [at, whole]] of Object.entries(places)) {
  test(`healthy: ${name}, sound in both themes`, async () => {
    await visit(at, whole);
    await sound(`${name}-healthy`);
  });
}

test("healed with conflicts", async (t) => {
  await cluster.conflict("tills");
  let id = "";
  await until("a conflict is open", async () => Boolean((id = (await cluster.get("a", "/v1/conflicts")).conflicts[0]?.id ?? "")));
  for (const [name, [at, whole]] of Object.entries({ ...places, conflict: /** @type {typeof places[""]} */ ([`conflicts/${id}`, (p) => p.getByRole("region", { name: "Why this value" }).getByText("Times")]) })) {
    await t.test(`${name}, sound in both themes, no wider than a phone, and still where motion is not wanted`, async () => {
      await visit(at, whole);
      await tab.page.locator(".header").getByText("1 conflict open").waitFor();
      await sound(`${name}-conflicts`);
      await tab.page.setViewportSize(phone);
      await until("nothing is wider than a phone", () => tab.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await tab.shoot(`${name}-phone`);
      await tab.sound();
      await tab.page.setViewportSize(wide);
      await tab.page.emulateMedia({ reducedMotion: "reduce" });
      assert.deepEqual(await moving(), []);
      await tab.page.emulateMedia({ reducedMotion: "no-preference" });
    });
  }
});

test("something moves where motion is wanted, so that stillness can be missed", async () => {
  await visit(...places["cluster"] ?? assert.fail());
  assert.notDeepEqual(await moving(), []);
});
