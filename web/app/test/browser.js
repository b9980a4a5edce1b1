// A real browser on the real page.
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** Where screenshots go: a build artefact, not committed. */
const shots = process.env.SYNCLINE_SHOTS ?? fileURLToPath(new URL("../../../bin/screens", import.meta.url));
const axe = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What a page says when it was given no frame for so long, in milliseconds; it asks for one each second. */
const still = { says: "no frame is drawn", after: 3_000 };

/** @returns {Promise<import("playwright-core").Browser>} */
export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--js-flags=--expose-gc"],
  });
}

/** A tab, with all that went wrong in it. */
export class Tab {
  /** @param {import("playwright-core").Page} page @param {import("playwright-core").BrowserContext} context */
  constructor(page, context) {
    this.page = page;
    this.context = context;
    /** What the page threw, or its policy refused. @type {string[]} */
    this.faults = [];
    /** Requests that did not go to loopback. @type {string[]} */
    this.foreign = [];
    /** Nobody looks at it any more. */
    this.closing = false;
  }

  /**
   * Opens the page of a node. `at` is the place behind "#/".
   * @param {import("playwright-core").Browser} browser @param {string} base @param {string} at
   * @param {{ theme?: "light" | "dark", width?: number, height?: number, reducedMotion?: "reduce", context?: import("playwright-core").BrowserContext }} [as]
   */
  static async open(browser, base, at, as = {}) {
    const context = as.context ?? (await browser.newContext({
      colorScheme: as.theme ?? "light",
      viewport: { width: as.width ?? 1280, height: as.height ?? 800 },
      ...(as.reducedMotion ? { reducedMotion: as.reducedMotion } : {}),
    }));
    const tab = new Tab(await context.newPage(), context);
    tab.page.on("pageerror", (error) => tab.faults.push(String(error)));
    tab.page.on("console", (line) => {
      if (/Content Security Policy/i.test(line.text())) tab.faults.push(line.text());
      if (line.text() === still.says) void tab.wake();
    });
    tab.page.on("request", (r) => {
      if (!/^(https?:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]|data:|blob:)/.test(r.url())) tab.foreign.push(r.url());
    });
    await tab.page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (e) => console.error(`Content Security Policy: ${e.violatedDirective} ${e.blockedURI}`));
    });
    await tab.page.addInitScript(({ says, after }) => {
      let asked = 0; // 0: the last one came
      setInterval(() => {
        if (asked && performance.now() - asked > after) console.error(says);
        else if (!asked) {
          asked = performance.now();
          requestAnimationFrame(() => (asked = 0));
        }
      }, 1_000);
    }, still);
    await tab.page.goto(`${base}/ui/#/${at}`);
    return tab;
  }

  /**
   * Lets the browser draw again. Once in some thousand frames of a list that is scrolled by leaps Chromium 148 waits for
   * ever for tiles that nobody paints ("Not activating because pending tree not ready", says its trace): the page's
   * thread is free, but has no frame any more. It gets them when another page has come and gone.
   */
  async wake() {
    console.log(`the browser drew no frame of ${this.page.url()} for ${still.after} ms: woken`);
    try {
      await (await this.context.newPage()).close();
    } catch (error) {
      if (!this.closing && !this.page.isClosed()) throw error;
    }
  }

  /** Waits until the screen shows a text. @param {string | RegExp} text @param {number} [timeout] longer than usual, in milliseconds */
  async see(text, timeout) {
    await this.page.getByText(text).first().waitFor(timeout ? { timeout } : {});
  }

  /** Takes a screenshot to look at. @param {string} name */
  async shoot(name) {
    await mkdir(shots, { recursive: true });
    await this.page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  }

  /** Nothing broke, nothing was fetched from elsewhere, and axe finds nothing on the screen, once it has come. */
  async sound() {
    await this.page.locator("main h1").first().waitFor();
    // Evaluated by the debugger: the policy of the page lets no other script in.
    await this.page.evaluate(await axe);
    const found = await this.page.evaluate(async () => {
      // @ts-expect-error axe is global once its script ran
      // Without preload: it would put style sheets that are still on their way into the page, which its policy refuses.
      const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false });
      return violations.map((/** @type {any} */ v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((/** @type {any} */ n) => `${n.target} ${n.failureSummary}`).join(" | ")}`);
    });
    assert.deepEqual(found, [], "axe");
    this.clean();
  }

  /** Nothing broke, and nothing was fetched from elsewhere. */
  clean() {
    assert.deepEqual(this.faults, [], "faults in the page");
    assert.deepEqual(this.foreign, [], "requests to elsewhere");
  }

  async close() {
    this.closing = true;
    await this.context.close();
  }
}
