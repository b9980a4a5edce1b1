// A module of the page without the page, for tests of what it computes.
import { fileURLToPath } from "node:url";
import { build } from "vite";

/** Builds a module below src/ and imports it. @param {string} name @returns {Promise<any>} */
export async function load(name) {
  const entry = fileURLToPath(new URL(`../src/${name}`, import.meta.url));
  const built = await build({ configFile: false, logLevel: "silent", build: { write: false, minify: false, target: "node20", lib: { entry, formats: ["es"] } } });
  const [output] = Array.isArray(built) ? built : [built];
  if (!output || !("output" in output)) throw new Error(`${name} was not built`);
  return import(`data:text/javascript,${encodeURIComponent(output.output[0].code)}`);
}
