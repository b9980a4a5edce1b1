import { computed, effect, signal } from "@preact/signals";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const place = "syncline.theme";
const kept = localStorage.getItem(place);

/** theme is what the person chose; both are designed, neither is the other inverted. */
export const theme = signal<Theme>(themes.find((t) => t === kept) ?? "system");

effect(() => {
  localStorage.setItem(place, theme.value);
  document.documentElement.dataset["theme"] = theme.value;
});

const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", () => (systemDark.value = system.matches));

/** dark says which of the two is shown now, for what draws its colours itself. */
export const dark = computed(() => theme.value === "dark" || (theme.value === "system" && systemDark.value));

/** turn goes on to the next theme. */
export function turn(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "system";
}
