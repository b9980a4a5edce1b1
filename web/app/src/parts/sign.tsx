import type { State } from "../live/members.ts";

/** words are what the signs mean, the same everywhere. */
export const words: Record<State | "conflict", string> = {
  writable: "writable",
  readonly: "read-only",
  unknown: "unknown",
  down: "not reached",
  conflict: "conflict",
};

/** Sign says a state by shape and colour; the word beside it is the caller's, or `word`. */
export function Sign({ state, word }: { state: State | "conflict"; word?: boolean | string }) {
  const said = typeof word === "string" ? word : words[state];
  return (
    <span class={`sign ${state}`}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden={word ? "true" : undefined} role="img" aria-label={word ? undefined : said}>
        {shapes[state]()}
      </svg>
      {word && <span>{said}</span>}
    </span>
  );
}

// Each is made anew: an element that is kept for ever keeps the page around its first place, and all that came after.
const shapes = {
  // Solid, with a check.
  writable: () => (
    <>
      <circle cx="8" cy="8" r="7" class="fill" />
      <path d="M4.5 8.2l2.4 2.4 4.6-5" class="mark" />
    </>
  ),
  // Hatched, with a padlock.
  readonly: () => (
    <>
      <rect x="1.5" y="1.5" width="13" height="13" class="line" />
      <path d="M2 6l4-4M2 10l8-8M2 14L14 2M6 14l8-8M10 14l4-4" class="hatch" />
      <rect x="5" y="7.5" width="6" height="4.5" class="fill" />
      <path d="M6.2 7.5V6a1.8 1.8 0 013.6 0v1.5" class="line" />
    </>
  ),
  // Outline, with a question mark.
  unknown: () => (
    <>
      <circle cx="8" cy="8" r="6.5" class="line dashed" />
      <path d="M6.2 6.3a1.9 1.9 0 113 1.6c-.8.5-1.2.8-1.2 1.6M8 11.4v.4" class="line" />
    </>
  ),
  // Outline, with a question mark too: that nothing is heard says nothing of what it does.
  down: () => (
    <>
      <rect x="1.5" y="1.5" width="13" height="13" class="line dashed" />
      <path d="M6.2 6.3a1.9 1.9 0 113 1.6c-.8.5-1.2.8-1.2 1.6M8 11.4v.4" class="line" />
    </>
  ),
  // Double ring, two heads.
  conflict: () => (
    <>
      <circle cx="6" cy="8" r="4.7" class="line" />
      <circle cx="10" cy="8" r="4.7" class="line" />
    </>
  ),
};
