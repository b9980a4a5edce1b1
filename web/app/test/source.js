// Sources of the page in a test of Node: pure modules, without a browser.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

/**
 * Loads a module of src/, such as "conflicts/align.ts". Its type is asked for by the caller:
 * `/** @type {typeof import("../src/conflicts/align.ts")} *\/ (await source("conflicts/align.ts"))`.
 * @template T @param {string} path @returns {Promise<T>}
 */
export async function source(path) {
  const { module } = await runnerImport(fileURLToPath(new URL(`../src/${path}`, import.meta.url)), { configFile: false, logLevel: "error" });
  return /** @type {T} */ (module);
}
