import { computed, signal } from "@preact/signals";

/** The screens, in the order of the menu. */
export const screens = [
  { name: "cluster", title: "Cluster" },
  { name: "divergence", title: "Divergence" },
  { name: "conflicts", title: "Conflicts" },
  { name: "resolvers", title: "Resolvers" },
  { name: "chaos", title: "Chaos" },
  { name: "data", title: "Data" },
  { name: "metrics", title: "Metrics" },
  { name: "settings", title: "Settings" },
  { name: "tour", title: "Tour" },
] as const;
export type Screen = (typeof screens)[number]["name"];

/** Route is the part of the address behind "#/": screen, parts of a path, and parameters. */
export interface Route {
  screen: Screen;
  path: string[];
  query: URLSearchParams;
}

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export const route = computed<Route>(() => {
  const [path = "", query = ""] = hash.value.replace(/^#\/?/, "").split("?", 2);
  const [first = "", ...rest] = path.split("/");
  const known = screens.find((s) => s.name === first);
  return { screen: known?.name ?? "cluster", path: rest.filter(Boolean).map(decode), query: new URLSearchParams(query) };
});

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // typed by hand, and not an escape
  }
}

/** to is the address of a place in the page. */
export function to(screen: Screen, path: string[] = [], query: Record<string, string> = {}): string {
  const q = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== "")).toString();
  return `#/${[screen, ...path.map(encodeURIComponent)].join("/")}${q ? `?${q}` : ""}`;
}

/** go changes the place. replace leaves no entry in the browser's history. */
export function go(address: string, replace = false): void {
  if (replace) {
    history.replaceState(null, "", address);
    hash.value = address;
  } else {
    location.hash = address;
  }
}
