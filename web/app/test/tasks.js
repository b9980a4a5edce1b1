// How long the page keeps its main thread.
import assert from "node:assert/strict";

/** Events of a trace that are of tasks, and of the names of threads. @typedef {{ name: string, ph: string, tid: number, pid: number, dur?: number, tdur?: number, args?: { name?: string } }} TraceEvent */

/** What marks, in a trace, the process that a page lives in. */
const sign = "this page";

/**
 * How long the tasks of a tab's main thread took of the processor while something was done, in milliseconds: the
 * thread's own time, since this machine may be busy with other things too.
 * @param {import("./browser.js").Tab} tab @param {() => Promise<unknown>} action @returns {Promise<number[]>}
 */
export async function tasksOf(tab, action) {
  const browser = tab.context.browser() ?? assert.fail("the tab has no browser");
  await browser.startTracing(tab.page, { categories: ["toplevel", "blink.user_timing"] });
  let trace;
  try {
    await tab.page.evaluate((sign) => void performance.mark(sign), sign);
    await action();
    await tab.page.evaluate(() => new Promise((done) => setTimeout(done))); // in a task after the last of them: the trace has them whole
  } finally {
    trace = await browser.stopTracing();
  }
  /** @type {TraceEvent[]} */
  const events = JSON.parse(trace.toString()).traceEvents;
  const page = events.find((e) => e.name === sign)?.pid;
  const main = events.find((e) => e.pid === page && e.name === "thread_name" && e.args?.name === "CrRendererMain")?.tid;
  const tasks = events.filter((e) => e.pid === page && e.tid === main && e.ph === "X" && /RunTask$/.test(e.name)).map((e) => (e.tdur ?? e.dur ?? 0) / 1000); // one that the trace cuts has no time of the thread
  assert.ok(tasks.length > 0, `no task in ${events.length} events`);
  return tasks;
}

/** The longest of them. @param {import("./browser.js").Tab} tab @param {() => Promise<unknown>} action */
export const longestTask = async (tab, action) => Math.max(...(await tasksOf(tab, action)));
