// How long the page keeps its main thread.

/**
 * The longest that a tab's main thread was busy without a break while something was done, in milliseconds of the
 * processor: what the thread has used is asked for again and again, and each question waits for the task before it.
 * The wall clock of the browser's long-task events goes on while other processes have the processor, so on a busy
 * machine it says more about them.
 * @param {import("./browser.js").Tab} tab @param {() => Promise<unknown>} action
 */
export async function longestTask(tab, action) {
  const session = await tab.context.newCDPSession(tab.page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const used = async () => ((await session.send("Performance.getMetrics")).metrics.find((m) => m.name === "ThreadTime")?.value ?? NaN) * 1000;
  let over = false;
  let longest = 0;
  const watch = (async () => {
    for (let before = await used(); !over; ) {
      const now = await used();
      longest = Math.max(longest, now - before);
      before = now;
    }
  })();
  try {
    await action();
  } finally {
    over = true;
    await watch;
    await session.detach();
  }
  return longest;
}
