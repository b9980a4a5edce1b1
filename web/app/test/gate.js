// Holds what a test wants to have under way.

/** A gate is closed until it is opened, and then stays open. @returns {{ opened: Promise<void>, open: () => void }} */
export function gate() {
  let open = () => {};
  const opened = /** @type {Promise<void>} */ (new Promise((done) => (open = done)));
  return { opened, open };
}
