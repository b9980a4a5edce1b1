import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src/", import.meta.url));

/** What each folder may import, besides itself. A folder that is not named is a screen. @type {Record<string, string[]>} */
const allowed = {
  api: [],
  live: ["api"],
  parts: ["api", "live"],
  style: [],
  frame: ["api", "live", "parts", "screens"],
  ".": ["frame", "live", "style"],
};
/** Of the frame, a screen knows the places in the page, the button that heals, and whether green is allowed. */
const frameForScreens = ["frame/theme.ts", "frame/green.ts", "frame/route.ts", "frame/heal.tsx"];

test("imports run one way: screens do not know each other, one module talks to the API (issue 6: a folder per screen)", async () => {
  const files = (await readdir(src, { recursive: true })).filter((name) => /\.tsx?$/.test(name));
  assert.ok(files.length > 20, "there are sources to look at");
  const wrong = [];
  for (const file of files) {
    const text = await readFile(join(src, file), "utf8");
    const folder = dirname(file).split("/")[0] ?? ".";
    for (const [, target] of text.matchAll(/(?:from|import)\s*\(?"(\.[^"]+)"/g)) {
      const to = relative(src, normalize(join(src, dirname(file), target ?? "")));
      const other = to.includes("/") ? (to.split("/")[0] ?? "") : ".";
      if (other === folder) continue;
      const may = allowed[folder] ?? ["api", "live", "parts"];
      const screen = !(other in allowed);
      if (may.includes(other) || (screen && may.includes("screens")) || (!(folder in allowed) && frameForScreens.includes(to))) continue;
      wrong.push(`${file} imports ${to}`);
    }
    if (folder !== "api" && /\bfetch\(|new EventSource|XMLHttpRequest/.test(text)) wrong.push(`${file} talks to the network itself`);
  }
  assert.deepEqual(wrong, []);
});
