// How long the page keeps its main thread.
import assert from "node:assert/strict";

/**
 * The longest task of a tab's main thread while something is done, in milliseconds of the processor. The wall clock
 * of the browser's own long-task events goes on while other processes have the processor, so on a busy machine it says
 * more about them.
 * @param {import("./browser.js").Tab} tab @param {() => Promise<unknown>} action
 */
export async function longestTask(tab, action) {
  const browser = tab.context.browser();
  assert.ok(browser);
  await browser.startTracing(tab.page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"] });
  /** @type {Buffer} */ let trace;
  try {
    await action();
  } finally {
    trace = await browser.stopTracing();
  }
  /** @type {{ name: string, pid: number, tid: number, tdur?: number, args?: any }[]} */
  const events = JSON.parse(trace.toString()).traceEvents;
  const main = new Set(events.filter((e) => e.name === "thread_name" && e.args?.name === "CrRendererMain").map((e) => `${e.pid} ${e.tid}`));
  const tasks = events.filter((e) => e.name.endsWith("RunTask") && main.has(`${e.pid} ${e.tid}`) && e.tdur !== undefined).map((e) => (e.tdur ?? 0) / 1000);
  assert.ok(tasks.length > 10, `there are tasks to look at: ${tasks.length}`);
  return Math.max(...tasks);
}
