import { after, before, test } from "node:test";
import { Cluster } from "./cluster.js";
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

test("the frame says who may write, who has the vote, and how many conflicts are open", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), "cluster");
  await tab.see("Writable");
  await tab.see("vote: a and b");
  await tab.see("0 conflicts open");
  await tab.shoot("frame");
  await tab.sound();
  await tab.close();
});
