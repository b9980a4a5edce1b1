// Holds what a test wants to have under way.

/** A gate is closed until it is opened, and then stays open. @returns {{ opened: Promise<void>, open: () => void }} */
export function gate() {
  let open = () => {};
  const opened = /** @type {Promise<void>} */ (new Promise((done) => (open = done)));
  return { opened, open };
}

/**
 * Holds requests of a page back until they are released; `asked` says that one has come.
 * @param {import("playwright-core").Page} page @param {string} url @param {string} method
 */
export async function hold(page, url, method) {
  const [asked, released] = [gate(), gate()];
  /** @param {import("playwright-core").Route} route */
  const handler = async (route) => {
    if (route.request().method() === method) {
      asked.open();
      await released.opened;
    }
    await route.fallback();
  };
  await page.route(url, handler);
  const release = () => {
    released.open();
    return page.unroute(url, handler);
  };
  return { asked: asked.opened, release };
}
