import { signal } from "@preact/signals";

/** tick is how often what is told in relative times is told anew, in milliseconds. */
const tick = 250;

/** now is this browser's clock, in milliseconds since 1970. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, tick);
document.addEventListener("visibilitychange", () => (now.value = Date.now()));
