// What a page costs that is open for long beside a busy cluster (DASHBOARD, Made of: budgets).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cluster, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";
import { tasksOf } from "./tasks.js";

/** Data nodes: `make soak` has nine, as many as the page is made for. Beside other tests they would starve each other of two processors. */
const nodes = Number(process.env.SYNCLINE_BROWSER_NODES ?? 2);
/** How long the page is fed, in milliseconds, unless the machine is so busy that it takes longer. */
const feedFor = 60_000;
/** How long it is fed before that, in milliseconds: the browser compiles what runs often, and keeps it. */
const settling = 20_000;
/** Events a second, over all nodes. */
const rate = 200;
/** Events a second until all that the page keeps a bounded number of is full: 200 lines of the log and 200 votes of each node. */
const fillRate = 2_000;
const fill = 200 * 7 * nodes;
/** The longest task of the page's main thread, in milliseconds. */
const longestTask = 100;
/** What the heap may grow by, after a collection. */
const growth = 1.2;

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start({ nodes }), launch()]);
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** Adds events to the streams of some nodes, as many a second as `feedRate` says, each node its share. Runs in the page. @param {{ hosts: string[] }} of */
function feedMore({ hosts }) {
  const real = globalThis.fetch;
  /** @type {Record<string, any>} */ const states = {};
  const kinds = ["link", "vote", "lag", "votes", "conflict", "log", "conflicts"];
  globalThis.fetch = async (input, init) => {
    const answer = await real(input, init);
    const url = new URL(String(input), location.href);
    if (url.pathname !== "/v1/events" || !hosts.includes(url.host) || !answer.body) return answer;
    let sent = 0;
    /** @type {any} */ let state = states[url.host] ?? null; // a stream that goes on does not begin with it
    const encoder = new TextEncoder();
    /** @param {string} kind @param {number} n */
    const data = (kind, n) => {
      const link = state.links.links[n % state.links.links.length];
      if (kind === "link") return { ...link, bytes: n, state: n % 2 ? "up" : "unknown" };
      if (kind === "vote") return { time: new Date().toISOString(), kind: "grant", voter: "w", to: "a", reason: `the ${n}th` };
      if (kind === "lag") return { lag: { versions: n % 7, seconds: 0.1 }, peers: state.cluster.peers };
      if (kind === "votes") return { voters: state.votes.voters, alerts: [] };
      if (kind === "conflicts") return { open: n, settled: 0 };
      if (kind === "conflict") return { id: `c${n}`, state: "open", collection: "c", doc_id: `d${n}` };
      return { level: "warn", name: "test", message: `line ${n}`, fields: { n: String(n) } };
    };
    const body = answer.body.pipeThrough(
      new TransformStream({
        start(out) {
          let [due, last] = [0, performance.now()];
          const timer = setInterval(() => {
            const now = performance.now();
            // After the page stood still it does not make up for that: this would be another load.
            if (state) due += (Math.min(now - last, 100) * Reflect.get(globalThis, "feedRate")) / hosts.length / 1000;
            last = now;
            let text = "";
            for (; sent + 1 <= due; sent++) {
              Reflect.set(globalThis, "fed", Reflect.get(globalThis, "fed") + 1);
              const kind = kinds[sent % kinds.length] ?? "";
              text += `event: ${kind}\ndata: ${JSON.stringify({ event: kind, time: new Date().toISOString(), data: data(kind, sent) })}\n\n`;
            }
            try {
              if (text) out.enqueue(encoder.encode(text));
            } catch {
              clearInterval(timer);
            }
          }, 20);
        },
        transform(chunk, out) {
          const first = state ? null : JSON.parse(/data: (.*)\n\n/.exec(new TextDecoder().decode(chunk))?.[1] ?? "null");
          if (first?.event === "state") states[url.host] = state = first.data;
          out.enqueue(chunk);
        },
      }),
    );
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
}

test(`${nodes} nodes and ${rate} events a second for a minute: no task over ${longestTask} ms, and the heap stays`, async () => {
  const context = await browser.newContext();
  await context.addInitScript((rate) => Object.assign(globalThis, { feedRate: rate, fed: 0 }), fillRate);
  await context.addInitScript(feedMore, { hosts: [...cluster.members].filter(([, m]) => m.role === "data").map(([, m]) => m.api) });
  const tab = await Tab.open(browser, cluster.base("a"), "cluster", { context });
  const cdp = await context.newCDPSession(tab.page);
  await cdp.send("HeapProfiler.enable");
  const heap = async () => {
    let least = Infinity; // what is on its way at one moment is no growth
    for (let i = 0; i < 5; i++) {
      await cdp.send("HeapProfiler.collectGarbage");
      least = Math.min(least, (await cdp.send("Runtime.getHeapUsage")).usedSize);
    }
    return least;
  };
  const fed = () => tab.page.evaluate(() => Number(Reflect.get(globalThis, "fed")));
  await until("its bounded lists are full", async () => (await fed()) > fill, 60_000);
  await tab.page.evaluate((rate) => void Reflect.set(globalThis, "feedRate", rate), rate);
  const settled = Date.now() + settling;
  await until("compiled code and caches are there", () => Date.now() > settled, settling + 20_000);
  const shown = () => tab.page.locator(".header").getByText(/[\d,]{5,} conflicts open/).waitFor(); // what was fed
  await shown(); // the browser's own helpers for this are part of the heap from now on
  const before = await heap();
  const [start, began] = [await fed(), Date.now()];
  const tasks = await tasksOf(tab, async () => {
    const events = (rate * feedFor) / 1000;
    await until(`${events} events were fed`, async () => (await fed()) - start >= events, 5 * feedFor);
    await shown();
  });
  const events = ((await fed()) - start) / ((Date.now() - began) / 1000);
  const after = await heap();
  assert.ok(after <= before * growth, `the heap grew from ${before} to ${after} bytes`);
  assert.ok(tasks.length > 100, `only ${tasks.length} tasks were seen`);
  const longest = Math.max(...tasks);
  assert.ok(longest <= longestTask, `a task took ${longest.toFixed(1)} ms`);
  console.log(`# ${Math.round(events)} events/s: heap ${(before / 1e6).toFixed(1)} to ${(after / 1e6).toFixed(1)} MB, longest task ${longest.toFixed(1)} ms of ${tasks.length}`);
  tab.clean();
  await tab.close();
});
