import { signal } from "@preact/signals";

const query = matchMedia("(max-width: 640px)");

/** narrow is true on a phone, where a row of the list is higher. */
export const narrow = signal(query.matches);
query.addEventListener("change", () => (narrow.value = query.matches));
