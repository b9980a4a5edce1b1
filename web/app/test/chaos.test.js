import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";

/** The scripts that a offers: they wait for the test where it looks. @type {Record<string, string>} */
const scripts = {
  looked_at: `# Waits until somebody has looked; then one side of a cut refuses.
cluster(nodes = 2, witness = True)

put("a", "shop/begun", {"n": 1})
note("it has begun")
eventually(lambda: get("a", "shop/looked").ok, what = "somebody has looked", within = "5m")
load(rate = 50)
cut("a", "b", lasts = "10m")
eventually(lambda: len(writers()) == 1, what = "one side goes on writing", within = "1m")
wait("1s")
heal()
converged(within = "1m")
accounted()
`,
  stopped: `# Breaks something, and is stopped before it heals.
cluster(nodes = 2, witness = True)
cut("a", "b", lasts = "10m")
wait("5m")
`,
};

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
/** @type {Tab} */ let tab;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start({ scripts }), launch()]);
  tab = await Tab.open(browser, cluster.base("a"), "chaos");
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** @param {string} name @returns {Promise<{ from: string, to: string, kind: string, both: boolean }[]>} */
const faults = async (name) => (await cluster.get(name, "/v1/chaos/faults")).faults;
const noFaults = () => until("no fault is left", async () => (await Promise.all(["a", "b", "w"].map(faults))).flat().length === 0);
/** @param {string} from @param {string} to */
const cell = (from, to) => tab.page.getByRole("button", { name: new RegExp(`^${from} to ${to}:`) });

test("the grid cuts one direction, until when is in the cell, a press heals it (DASHBOARD 5: row → column is one direction)", async () => {
  await cell("a", "b").click();
  await until("both ends drop it", async () => (await faults("a")).length === 1 && (await faults("b")).length === 1);
  assert.deepEqual((await faults("b")).map((f) => [f.from, f.to, f.kind, f.both]), [["a", "b", "cut", false]]);
  await cell("a", "b").getByText(/cut 0:\d\d left/).waitFor();
  assert.equal(await cell("a", "b").getAttribute("aria-pressed"), "true");
  assert.equal(await cell("b", "a").getAttribute("aria-pressed"), "false");
  await tab.page.locator("table").getByText("a → b", { exact: true }).waitFor();
  await tab.sound();
  await cell("a", "b").click();
  await noFaults();
  await cell("a", "b").and(tab.page.locator('[aria-pressed="false"]')).waitFor();
});

test("the grid works by keyboard alone, and every press shows its two twins (rule 4)", async () => {
  await cell("a", "b").focus();
  await tab.page.keyboard.press("ArrowRight");
  assert.ok(await cell("a", "w").evaluate((e) => e === document.activeElement));
  await tab.page.keyboard.press("ArrowDown");
  await tab.page.keyboard.press("Enter");
  await until("b and w drop it", async () => (await faults("b")).length === 1 && (await faults("w")).length === 1);
  await cell("b", "w").and(tab.page.locator('[aria-pressed="true"][aria-busy="false"]')).waitFor();
  await tab.page.keyboard.press("Enter");
  await noFaults();
  await tab.page.locator(".act").filter({ hasText: "b → w: a press cuts it for 30s" }).getByRole("button", { name: "the same from a shell" }).click();
  await tab.see(`chaos cut b w --one-way --for 30s`);
  await tab.see(/curl -s -X POST .*\/v1\/chaos\/faults/);
});

test("a preset is put on both ends of its links, and seen by a second browser; one button heals (DASHBOARD 5, rule 5)", async () => {
  const other = await Tab.open(browser, cluster.base("b"), "chaos", { theme: "dark" });
  await tab.page.locator("label", { hasText: /^for/ }).locator("select").selectOption("15m"); // until it is healed
  await tab.page.getByLabel("preset").selectOption("isolate");
  await tab.page.locator("label", { hasText: /^node/ }).locator("select").selectOption("b");
  await tab.page.getByRole("button", { name: /Put it on/ }).click();
  await until("b is alone", async () => (await faults("b")).length === 2 && (await faults("w")).length === 1);
  await other.page.locator(".strip").getByText("a–b cut").or(other.page.locator(".strip").getByText("b–a cut")).waitFor();
  await other.see("Read-only: no majority");
  await other.page.locator(".lanes-span.readonly").first().waitFor();
  await other.shoot("chaos-isolated-dark");
  await other.sound();
  await tab.shoot("chaos-isolated");
  await other.page.locator(".strip").getByRole("button", { name: "Heal everything" }).click();
  await noFaults();
  await tab.see("No fault is on.");
  await cluster.heal();
  await other.close();
});

test("a script runs to its verdict, line by line, and is saved as JSON, SVG and script (DASHBOARD 5: script runner, verdict, export)", async () => {
  await tab.page.getByLabel("seed").fill("7");
  await tab.page.getByRole("button", { name: "Run looked_at", exact: true }).click();
  await tab.page.locator(".chaos-source .done").first().waitFor();
  await tab.page.getByText("under way").first().waitFor();
  await tab.shoot("chaos-run");
  await cluster.put("a", "/v1/docs/shop/looked", {});
  await tab.page.locator(".chaos-verdict").waitFor({ timeout: 60_000 });
  const figures = await tab.page.locator(".chaos-verdict").innerText();
  assert.match(figures, /held: \d+ claims[\s\S]*lost\s+0[\s\S]*converged\s+in /);
  const [run] = (await cluster.get("a", "/v1/chaos/runs")).runs;
  assert.equal(run.seed, 7);
  assert.ok(figures.replace(/\s+/g, " ").includes(`refused ${run.verdict.refused} write`), `${figures} shows the ${run.verdict.refused} refused writes`);
  await tab.page.locator(".chaos-lanes .lanes-span.readonly").first().waitFor();
  await tab.shoot("chaos-verdict");
  await tab.sound();

  /** @param {string} name */
  const saved = async (name) => {
    const [download] = await Promise.all([tab.page.waitForEvent("download"), tab.page.getByRole("button", { name, exact: true }).click()]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  };
  const json = await saved("JSON");
  assert.equal(json.name, "looked_at-7.json");
  assert.equal(JSON.parse(json.text).verdict.held, true);
  assert.ok(JSON.parse(json.text).steps.length > 10);
  const svg = await saved("SVG");
  assert.match(svg.text, /^<\?xml[\s\S]*<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"[\s\S]*fill="rgb/);
  assert.match((await saved("script")).text, /^# Waits until/);
  tab.clean();
});

test("a script that ships runs from the page, and holds", async () => {
  const other = await Tab.open(browser, cluster.base("b"), "chaos");
  await cluster.heal(); // the run before leaves votes to be had again
  await other.page.getByRole("button", { name: "Run equal_writes", exact: true }).click();
  await other.page.locator(".chaos-verdict").getByText(/held: \d+ claims/).waitFor({ timeout: 60_000 });
  await other.close();
});

test("a run that is stopped heals what it broke, and has no verdict (issue 5: stop it)", async () => {
  await tab.page.getByRole("button", { name: "Run stopped", exact: true }).click();
  await tab.page.getByText("under way").first().waitFor();
  await until("something is broken", async () => (await faults("a")).length > 0);
  assert.ok(await tab.page.getByRole("button", { name: "Run looked_at", exact: true }).isDisabled(), "one run at a time");
  await tab.page.reload(); // it is found again from what the node tells
  await tab.page.getByRole("button", { name: "Stop, and heal what it broke" }).click();
  await tab.see("It was stopped, and what it broke is healed");
  await noFaults();
  assert.equal(await tab.page.locator(".chaos-verdict").count(), 0);
  await cluster.heal();
});
