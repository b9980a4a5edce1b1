// One stream per node and browser: a browser opens six connections to a host,
// and a tab is soon open seven times. The tab that holds the lock of a node
// reads its stream; the others hear it from that tab.

/** Hall is where the tabs of a browser meet over one name. */
export interface Hall<T> {
  /** tell hands something to the other tabs. */
  tell(piece: T): void;
  /** whenMine runs a task as soon as no other tab does, and gives the place back when it ends. */
  whenMine(task: () => Promise<void>): void;
  /** leave hears nothing any more, and waits for nothing. */
  leave(): void;
}

/**
 * meet opens a hall. Where the browser has no locks (a page that is neither
 * from this machine nor under TLS), each tab is in a hall of its own.
 */
export function meet<T>(name: string, hear: (piece: T) => void): Hall<T> {
  if (!navigator.locks || !globalThis.BroadcastChannel) {
    return { tell: () => {}, whenMine: (task) => void task(), leave: () => {} };
  }
  const channel = new BroadcastChannel(name);
  const gone = new AbortController();
  channel.onmessage = (e: MessageEvent<T>) => hear(e.data);
  return {
    tell: (piece) => channel.postMessage(piece),
    whenMine: (task) => void navigator.locks.request(name, { signal: gone.signal }, task).catch(() => {}), // left before it was granted
    leave: () => {
      channel.close();
      gone.abort();
    },
  };
}
