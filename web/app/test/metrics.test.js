import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";
import { source } from "./source.js";

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

test("eight small charts with one cursor", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "metrics");
  await tab.page.locator(".metrics-plot canvas").nth(7).waitFor();
  assert.equal(await tab.page.locator(".metrics-plot canvas").count(), 8);
  const writes = tab.page.locator(".metrics-one").first().locator(".metrics-now");
  await cluster.put("a", "/v1/docs/accounts/alice", { balance: 1 });
  await writes.getByText(/a [\d.]+\/s/).waitFor();
  const plots = tab.page.locator(".metrics-plot .u-over");
  await plots.first().hover();
  await until("all charts tell of the cursor's time", async () => (await tab.page.locator(".metrics-now").getByText(/ at \d\d:/).count()) === 8);
  // A canvas has its colours from when it was drawn: it is drawn anew when the system goes dark.
  const inTheme = () =>
    plots.first().evaluate((plot) => {
      const probe = plot.ownerDocument.createElement("i");
      probe.style.color = "var(--line)";
      document.body.append(probe);
      const line = getComputedStyle(probe).color.match(/\d+/g)?.slice(0, 3).join();
      probe.remove();
      const canvas = plot.closest(".uplot")?.querySelector("canvas");
      const { data } = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255 && [data[i], data[i + 1], data[i + 2]].join() === line) return true;
      return false;
    });
  for (const colorScheme of /** @type {const} */ (["light", "dark", "light"])) {
    await tab.page.emulateMedia({ colorScheme });
    await until(`the grid is drawn for ${colorScheme}`, inTheme);
  }
  await tab.page.getByText("The newest figures, as a table").click();
  await tab.page.getByRole("cell", { name: "Lease left" }).waitFor();
  await tab.sound();
  await tab.shoot("metrics-cursor");
  await tab.close();
});

test("rule 2: a node that does not answer is a gap and unknown, never 0 or its last value; faults are drawn behind", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "metrics");
  const lease = tab.page.locator(".metrics-one").filter({ hasText: "Lease left" }).locator(".metrics-now");
  await lease.getByText(/b [\d.]+ s/).waitFor();
  await cluster.cut("a", "b");
  await tab.see(/Shaded: faults \(a–b cut\)/);
  await cluster.signal("b", "SIGKILL");
  await lease.getByText(/b unknown/).waitFor();
  await cluster.launch("b");
  await cluster.heal();
  await lease.getByText(/b [\d.]+ s/).waitFor();
  await tab.shoot("metrics-gap");
  await tab.close();
});

test("a counter that began anew is no negative rate, and what nobody saw is a gap", async () => {
  const { charts, linesOf, written } = /** @type {typeof import("../src/metrics/charts.ts")} */ (await source("metrics/charts.ts"));
  const none = { writes: null, refused: null, lag: null, opened: null, roundTrip: null, lease: null, commits: null, committing: null, wal: null };
  const at = (/** @type {number} */ s, /** @type {number | null} */ writes) => ({ at: s * 1000, figures: writes === null ? null : { ...none, writes } });
  const [writes] = charts;
  assert.ok(writes);
  const { values } = linesOf(writes, new Map([["a", [at(0, 10), at(2, 30), at(4, null), at(6, 50), at(8, 3), at(10, 5), at(60, 900)]], ["b", [at(60, 1)]]]));
  assert.deepEqual(values.get("a"), [null, 10, null, null, null, 1, null]);
  assert.deepEqual(values.get("b"), Array(7).fill(null));
  assert.equal(written(null, "/s"), "unknown");
  assert.equal(written(0, "/s"), "0/s");
});
