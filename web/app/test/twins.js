// Rule 4 of the page: every action shows its curl and its command-line twin, to copy.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { program } from "./cluster.js";

const run = promisify(execFile);

/**
 * Opens the twins of each action on the page. Each command must be one that the
 * program has, with the flags that it takes. Returns the commands.
 * @param {import("./browser.js").Tab} tab @returns {Promise<string[]>}
 */
export async function twins(tab) {
  const commands = [];
  const buttons = tab.page.locator("main .twins > button");
  for (let i = 0; i < (await buttons.count()); i++) {
    await buttons.nth(i).click();
    const lines = await buttons.nth(i).locator("..").locator("code").allInnerTexts();
    const command = lines.find((l) => l.startsWith("syncline "));
    assert.ok(lines.some((l) => l.startsWith("curl ")) && command, lines.join(" | "));
    commands.push(command);
    await buttons.nth(i).click();
  }
  for (const command of new Set(commands)) {
    const [line = ""] = command.split(" <<< ");
    const env = { ...process.env, PATH: `${dirname(program)}:${process.env.PATH}` };
    const { stdout } = await run("bash", ["-c", `${line} --help`], { env });
    const words = line.split(" ").filter((w) => /^[a-z-]+$/.test(w) && w !== "syncline" && !w.startsWith("-"));
    assert.match(stdout, new RegExp(`Usage:\\n  syncline ${words[0]} `), `the program has: ${line}`);
  }
  return commands;
}
