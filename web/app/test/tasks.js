// How long the page keeps its main thread busy at a time.
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The longest task of the page's main thread while something is done, in
 * milliseconds of processor time: a machine with other work to do must not look
 * like a slow page.
 * @param {import("./browser.js").Tab} tab @param {() => Promise<void>} during @returns {Promise<number>}
 */
export async function longestTask(tab, during) {
  const browser = tab.context.browser();
  if (!browser) throw new Error("the tab has no browser of its own");
  const path = join(tmpdir(), `syncline-trace-${process.pid}.json`);
  await browser.startTracing(tab.page, { path, categories: ["toplevel", "disabled-by-default-devtools.timeline", "__metadata"] });
  try {
    await during();
  } finally {
    await browser.stopTracing();
  }
  /** @type {{ traceEvents: { name: string, ph: string, pid: number, tid: number, tdur?: number, args?: { name?: string } }[] }} */
  const { traceEvents } = JSON.parse(await readFile(path, "utf8"));
  await rm(path);
  const mains = new Set(traceEvents.filter((e) => e.name === "thread_name" && e.args?.name === "CrRendererMain").map((e) => `${e.pid} ${e.tid}`));
  const tasks = traceEvents.filter((e) => e.ph === "X" && e.name.endsWith("RunTask") && e.tdur !== undefined && mains.has(`${e.pid} ${e.tid}`));
  if (tasks.length === 0) throw new Error("the trace has no tasks of the page");
  return Math.max(...tasks.map((e) => e.tdur ?? 0)) / 1000;
}
