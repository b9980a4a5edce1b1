import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** What the browser must load before the first paint, in bytes, gzip. */
const maxFirst = 45_000;
/** All files of the page together, in bytes, gzip. */
const maxAll = 160_000;

/** budget prints the size of the page and fails the build above its limits. */
export function budget(): Plugin {
  return {
    name: "budget",
    apply: "build",
    generateBundle(_, bundle) {
      const size = new Map<string, number>();
      for (const [name, file] of Object.entries(bundle)) {
        size.set(name, gzipSync(file.type === "chunk" ? file.code : file.source).length);
      }
      const sum = (names: Iterable<string>) => [...names].reduce((n, name) => n + (size.get(name) ?? 0), 0);
      const first = sum(firstLoad(bundle));
      const all = sum(size.keys());
      this.info(`first load ${kB(first)} of ${kB(maxFirst)}, all ${kB(all)} of ${kB(maxAll)} (gzip)`);
      if (first > maxFirst || all > maxAll) {
        this.error(`the page is over its budget: first load ${kB(first)} of ${kB(maxFirst)}, all ${kB(all)} of ${kB(maxAll)}`);
      }
    },
  };
}

const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

/** firstLoad are the files that the entry needs: all that it imports but what it imports later. */
function firstLoad(bundle: Rolldown.OutputBundle): Set<string> {
  const needed = new Set<string>();
  const add = (name: string) => {
    const file = bundle[name];
    if (!file || needed.has(name)) return;
    needed.add(name);
    if (file.type !== "chunk") return;
    file.imports.forEach(add);
    for (const css of file.viteMetadata?.importedCss ?? []) add(css);
  };
  for (const [name, file] of Object.entries(bundle)) {
    if ((file.type === "chunk" && file.isEntry) || name.endsWith(".html")) add(name);
  }
  return needed;
}
