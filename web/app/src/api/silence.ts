/** late is by how much a timer may be late, in milliseconds, before that means that the page itself stood still. */
const late = 200;
/** grace is how long what came meanwhile may take to be read, in milliseconds: a node tells figures every second. */
const grace = 1_000;

/**
 * silence calls over when nothing was heard for so many milliseconds. A timer
 * that fires late says that the page stood still; its turn may come before that
 * of bytes that wait, so it waits once more before it calls anybody silent.
 */
export function silence(after: number, over: () => void): { heard: () => void; end: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    const due = performance.now() + after;
    timer = setTimeout(() => {
      if (performance.now() - due < late) over();
      else timer = setTimeout(over, grace);
    }, after);
  };
  heard();
  return { heard, end: () => clearTimeout(timer) };
}
