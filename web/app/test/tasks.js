// How long the page keeps its main thread.

/**
 * At most so many milliseconds a task of a tab's main thread took while something was done, in the document that is
 * open. Two bounds, of which the smaller holds: the browser's long-task events, whose wall clock goes on while other
 * processes have the processor; and what the thread has used of the processor, asked for again and again, where each
 * question waits for the task before it but several tasks may lie between two.
 * @param {import("./browser.js").Tab} tab @param {() => Promise<unknown>} action
 */
export async function longestTask(tab, action) {
  const session = await tab.context.newCDPSession(tab.page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const used = async () => ((await session.send("Performance.getMetrics")).metrics.find((m) => m.name === "ThreadTime")?.value ?? NaN) * 1000;
  const told = await tab.page.evaluateHandle(() => {
    const told = { longest: 50 }; // what is shorter is no long task
    new PerformanceObserver((list) => list.getEntries().forEach((e) => (told.longest = Math.max(told.longest, e.duration)))).observe({ type: "longtask" });
    return told;
  });
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
  return Math.min(longest, (await told.jsonValue()).longest);
}
