// One conflict, in a browser: its versions, why it shows what it shows, and every way to end it or to take that back.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Cluster, program, until } from "./cluster.js";
import { launch, Tab } from "./browser.js";
import { deaf } from "./deaf.js";
import { hold } from "./gate.js";
import { twins } from "./twins.js";

/** @type {Cluster} */ let cluster;
/** @type {import("playwright-core").Browser} */ let browser;
/** The ids of the conflicts, by document. @type {Record<string, string>} */ const ids = {};

const deep = (/** @type {number} */ levels) => `${'{"k":'.repeat(levels)}1${"}".repeat(levels)}`;
const hostile = JSON.stringify({
  html: "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script><style>body{display:none}</style>",
  link: "javascript:window.hacked=1",
  "<b onmouseover=window.hacked=1>": "\u202egnirts tfel-ot-thgir\u202c עברית",
  "💥👩‍👩‍👧": "👨‍👩‍👧‍👦",
  huge: "x".repeat(200_000),
  "": "empty name",
}).replace("{", '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},');
const id = "<script>window.hacked=1</script>";

/** What stands at both sides before, and what each side wrote while it was cut off; null is a deletion. @type {Record<string, [string, string | null, string | null]>} */
const documents = {
  plain: ['{"balance":120,"name":"Alice"}', '{"balance":20,"name":"Alice"}', '{"balance":70,"name":"Alice","note":"new"}'],
  cells: ['{"a":1,"b":1,"list":[1,2]}', '{"a":2,"b":1,"list":[1,2,3]}', '{"a":1,"b":2,"list":[1]}'],
  exact: ['{"n":0.1,"big":12345678901234567890}', '{"n":0.3,"big":12345678901234567891}', '{"n":0.10,"big":12345678901234567890}'],
  gone: ['{"n":1}', null, '{"n":2}'],
  second: ['{"n":1}', '{"n":2}', '{"n":3}'],
  faster: ['{"n":1}', '{"n":2}', '{"n":3}'],
  third: ['{"n":1}', '{"n":2}', '{"n":3}'],
  bank: ['{"balance":120}', '{"balance":20}', '{"balance":70}'],
  twin: ['{"n":1}', '{"n":2}', '{"n":3}'],
  [id]: ['{"n":1}', hostile, `{"n":2,"deep":${deep(60)}}`],
};

before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
  await cluster.put("a", "/v1/collections/tills", { policy: { kind: "manual" }, history: "24h" });
  await cluster.put("a", "/v1/resolvers/no_overdraft", await readFile(fileURLToPath(new URL("../../../scripts/resolvers/no_overdraft.star", import.meta.url)), "utf8"), { "Content-Type": "text/plain" });
  const path = (/** @type {string} */ name) => `/v1/docs/tills/${encodeURIComponent(name)}`;
  const write = async (/** @type {string} */ node, /** @type {string} */ name, /** @type {string | null} */ body) =>
    body === null ? assert.equal((await cluster.call(node, "DELETE", path(name))).status, 200) : cluster.put(node, path(name), body);
  for (const [name, [base]] of Object.entries(documents)) await write("a", name, base);
  for (const name of ["x", "y"]) await cluster.put("a", `/v1/docs/accounts/${name}`, { balance: 120 });
  await cluster.heal();
  for (const name of ["tills", "accounts"]) await cluster.minority(name, "accept");
  await cluster.cut("a", "b");
  for (const [i, node] of ["a", "b"].entries()) { // b is the later one, so it is what is shown
    for (const [name, bodies] of Object.entries(documents)) await write(node, name, bodies[i + 1] ?? null);
    for (const name of ["x", "y"]) await cluster.put(node, `/v1/docs/accounts/${name}`, { balance: i ? 70 : 20 });
  }
  await cluster.heal();
  await until("all are in conflict, and those of accounts settled", async () => {
    const { conflicts, meta } = await cluster.get("a", "/v1/conflicts");
    const settled = (await cluster.get("a", "/v1/conflicts?state=settled")).conflicts;
    for (const c of [...conflicts, ...settled]) ids[c.doc_id] = c.id;
    return meta.open === Object.keys(documents).length && settled.length === 2;
  });
});
after(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** @param {string} name @param {Parameters<typeof Tab.open>[3]} [as] */
async function open(name, as) {
  const tab = await Tab.open(browser, cluster.base("a"), `conflicts/${ids[name]}`, as);
  await tab.page.getByRole("heading", { level: 1 }).getByText(name).waitFor();
  await tab.page.getByRole("region", { name: "Why this value" }).getByText("Times").waitFor();
  return tab;
}

/** A row of the comparison as text. @param {Tab} tab @param {string} path */
const line = async (tab, path) => (await tab.page.getByRole("row", { name: path }).first().innerText()).replace(/\s+/g, " ");
const result = (/** @type {Tab} */ tab) => tab.page.getByLabel(/^Result, as JSON/);
const stored = async (/** @type {string} */ name) => (await fetch(`${cluster.base("a")}/v1/docs/tills/${name}`)).text();

test("base | A | B | shown | result, aligned by JSON pointer, changed cells marked by sign and word, numbers with delta", async () => {
  for (const theme of /** @type {const} */ (["light", "dark"])) {
    const tab = await open("plain", { theme });
    await tab.page.getByText("a’s −100 not shown").first().waitFor(); // it comes with the explanation
    assert.match(await line(tab, "/balance"), /^\/balance 120 take 20 \(−100\) ≠ changed ?take 70 \(−50\) ≠ changed ?take 70 \(−50\) ≠ changed ?a’s −100 not shown ?take 70 \(−50\) ≠ changed$/);
    assert.match(await line(tab, "/note"), /^\/note absent take absent = same ?take "new" \+ added ?take "new" \+ added ?take "new" \+ added$/, "who had changed nothing lost nothing");
    assert.equal(await tab.page.getByRole("row", { name: "/name" }).count(), 0, "what is the same everywhere is not in the way");
    await tab.page.getByLabel("also the 1 that are the same everywhere").check();
    assert.match(await line(tab, "/name"), /"Alice" take "Alice" = same/);
    await tab.page.getByRole("button", { name: "Let no_overdraft decide" }).waitFor(); // it comes with the names of the resolvers
    if (theme === "light") assert.equal((await twins(tab)).length, 5, "every action has its twins");
    await tab.sound();
    await tab.shoot(`conflict-open-${theme}`);
    await tab.close();
  }
});

test("numbers stay exact, and a delta is never a wrong sum", async () => {
  const tab = await open("exact");
  assert.match(await line(tab, "/n"), /^\/n 0\.1 take 0\.3 \(\+0\.2\) ≠ changed ?take 0\.10 /);
  assert.match(await line(tab, "/big"), /12345678901234567890 take 12345678901234567891 \(\+1\)/);
  await tab.page.getByRole("button", { name: "take /big of a into the result" }).click();
  await tab.page.getByRole("button", { name: "Write the result" }).click();
  await tab.see("You wrote the result.");
  assert.deepEqual((await stored("exact")).replace(/\s/g, ""), '{"n":0.10,"big":12345678901234567891}');
  await tab.close();
});

test("the result is edited by cell and by hand; what is not JSON says line and column, and cannot be written", async () => {
  const tab = await open("cells");
  const write = tab.page.getByRole("button", { name: "Write the result" });
  await tab.page.getByRole("button", { name: "take /a of a into the result" }).click();
  await tab.page.getByRole("button", { name: "take /list/2 of a into the result" }).click();
  assert.deepEqual(JSON.parse(await result(tab).inputValue()), { a: 2, b: 2, list: [1, 3] });
  await tab.page.getByRole("row", { name: "/list/1" }).getByRole("cell").nth(0).click({ position: { x: 2, y: 2 } });
  assert.deepEqual(JSON.parse(await result(tab).inputValue()), { a: 2, b: 2, list: [1, 2] }, "a click into a cell takes it too");
  const good = await result(tab).inputValue();
  await result(tab).fill('{\n  "a": 1,\n  oops\n}');
  await tab.page.getByText(/^line 3, column 3: /).first().waitFor();
  assert.ok(await write.isDisabled());
  await tab.page.getByText("the result is not JSON: line 3, column 3").first().waitFor();
  await tab.sound();
  await tab.shoot("conflict-invalid");
  await result(tab).fill('{"a":1,"a":2}');
  await write.click();
  await tab.page.locator(".act .trouble").getByText(/"a"/).first().waitFor(); // the node looks closer than a browser
  await result(tab).fill(good.replace('"b": 2', '"b": 1.50'));
  await tab.page.getByLabel("Why, for the record").fill("both were right");
  await write.click();
  await tab.see("You wrote the result.");
  assert.equal((await stored("cells")).replace(/\s/g, ""), '{"a":2,"b":1.50,"list":[1,2]}');
  const record = await cluster.get("a", `/v1/conflicts/${ids.cells}`);
  assert.deepEqual([record.by, record.reason], ["person", "both were right"]);
  await tab.page.getByRole("link", { name: "The document", exact: true }).waitFor();
  await tab.close();
});

test("a deleted side is said to be deleted, and can be kept as well", async () => {
  const tab = await open("gone");
  assert.match(await line(tab, "/n"), /1 take deleted ∅ deleted 2/);
  await tab.page.getByRole("button", { name: "Keep a’s deletion" }).click();
  await tab.see("You kept a’s deletion.");
  assert.equal((await cluster.call("a", "GET", "/v1/docs/tills/gone")).json.code, "deleted");
  await tab.close();
});

test("space-time diagram: a lane per node, the siblings ringed, the cut as a band, arrows from what was seen, and a table as its twin", async () => {
  const tab = await open("plain");
  const svg = tab.page.locator("svg.spacetime");
  assert.match((await svg.getAttribute("aria-label")) ?? "", /^2 versions in conflict, a~\S+ and b~\S+; no writer of one had seen another; a and b were cut, cut \d/);
  assert.deepEqual([await svg.locator(".lane").count(), await svg.locator(".dot.sibling").count(), await svg.locator(".dot.before").count(), await svg.locator(".arrow").count(), await svg.locator(".cut").count()], [2, 2, 1, 1, 1]);
  await tab.page.getByText("What was written where, as a table").click();
  const table = tab.page.getByRole("region", { name: "What was written where", exact: true });
  await table.getByRole("row", { name: /^\d\d:\d\d:\d\d\.\d{3} a a~\S+ written before: 120/ }).waitFor();
  await table.getByRole("row", { name: /b b~\S+ a version of the conflict: 70 a~\S+:\d+$/ }).waitFor();
  await table.getByRole("row", { name: /a and b .*cut/ }).waitFor();
  await tab.sound();
  await tab.close();
});

test('"Why this value": rule, both times, the gap beside the measured clock offset', async () => {
  const tab = await open("plain");
  const why = tab.page.getByRole("region", { name: "Why this value" });
  await why.getByText("A person decides. Until then the newest version stands in.").waitFor();
  await why.getByText(/is later than .*; measured clock offset/).waitFor();
  await why.getByText(/(ms|s) apart; the clocks of [ab] and [ab] differ by [\d.]+ m?s \(measured\)|Warning: only/).waitFor();
  await why.getByText("it waits for a person").waitFor();
  await tab.close();
});

test("run a resolver: what it returns and notes is shown before it is applied; then the record has its steps", async () => {
  const tab = await open("bank");
  const decide = tab.page.getByRole("region", { name: "End it" });
  await decide.getByText("try it first").waitFor();
  await decide.getByRole("button", { name: "Try it" }).click();
  await decide.getByText("{\"balance\":20}", { exact: true }).waitFor();
  await decide.getByText(/rejected -50 from b/).waitFor();
  assert.equal(JSON.parse(await stored("bank")).balance, 70, "nothing was changed");
  await tab.sound();
  await tab.shoot("conflict-resolver");
  await decide.getByRole("button", { name: "Let no_overdraft decide" }).click();
  await tab.see("You let the resolver no_overdraft decide.");
  assert.equal(JSON.parse(await stored("bank")).balance, 20);
  const why = tab.page.getByRole("region", { name: "Why this value" });
  await why.getByText(/rejected -50 from b/).waitFor();
  await why.getByText(/^\d[\d,]* steps$/).waitFor();
  await tab.close();
});

test("restore brings back what lost, revert takes that back, and review says that somebody has looked", async () => {
  for (const theme of /** @type {const} */ (["light", "dark"])) {
    const tab = await open("x", { theme });
    await tab.see("settled by LWW");
    assert.match(await line(tab, "/balance"), /^\/balance 20 70 70 70 a’s 20 lost$/);
    await tab.see("What was there before is not known: so no differences are computed.");
    await tab.sound();
    await tab.shoot(`conflict-settled-${theme}`);
    await tab.close();
  }
  const tab = await open("x");
  const balance = async () => (await cluster.get("a", "/v1/docs/accounts/x")).balance;
  const read = await hold(tab.page, `**/v1/conflicts/${ids.x}`, "GET");
  await tab.page.getByRole("button", { name: "Restore a’s value" }).click();
  await tab.see("You restored a’s value.");
  assert.equal(await balance(), 20);
  await read.asked;
  await tab.page.getByRole("button", { name: "Revert to the newest" }).click(); // at once: what was restored has not been read again
  await tab.see("You took the policy's result back.");
  assert.equal(await balance(), 70);
  await read.release();
  await tab.page.getByRole("button", { name: "Mark as reviewed" }).click();
  await tab.see("You marked it as reviewed.");
  await tab.see(/reviewed, ended by LWW/);
  const why = tab.page.getByRole("region", { name: "Why this value" });
  for (const step of [/^restore by anonymous/, /^revert by anonymous/, /^review by anonymous/]) await why.getByText(step).waitFor();
  await tab.close();
});

test("rule 4: the curl and the command beside a button do what the button does", async () => {
  const run = promisify(execFile);
  const shell = (/** @type {string} */ words) => run("bash", ["-c", words], { env: { ...process.env, PATH: `${dirname(program)}:${process.env.PATH}` } });
  /** @param {Tab} tab @param {string} name */
  const twinsOf = async (tab, name) => {
    const act = tab.page.locator(".act").filter({ has: tab.page.getByRole("button", { name, exact: true }) });
    await act.locator(".twins button").first().click();
    return act.locator(".twin-box code").allInnerTexts();
  };
  const settled = await open("y");
  const [restore = ""] = await twinsOf(settled, "Restore a’s value");
  await shell(restore);
  assert.equal((await cluster.get("a", "/v1/docs/accounts/y")).balance, 20);
  await settled.page.reload(); // the ETag of what was restored
  const [, revert = ""] = await twinsOf(settled, "Revert to the newest");
  assert.match((await shell(revert)).stdout, /is reverted/);
  await settled.close();
  const tab = await open("twin");
  await tab.page.getByLabel("Why, for the record").fill("it's right");
  const [, keep = ""] = await twinsOf(tab, "Keep a’s value");
  assert.match((await shell(keep)).stdout, /is resolved/);
  await tab.see("Settled while you looked");
  assert.equal((await cluster.get("a", `/v1/conflicts/${ids.twin}`)).reason, "it's right");
  await tab.close();
});

test("two people settle one conflict: the second sees what happened, and keeps what was typed", async () => {
  const second = await open("second");
  await result(second).fill('{"n": 99}');
  await second.page.getByLabel("Why, for the record").fill("it was 99");
  const first = await open("second");
  await first.page.getByRole("button", { name: "Keep a’s value" }).click();
  await first.see("You kept a’s value.");
  await second.see("Settled while you looked");
  await second.see(/by a person, .*somebody chose a~/);
  await second.see("It became");
  await second.shoot("conflict-meanwhile");
  await second.page.getByRole("region", { name: "Your result" }).getByText('{"n": 99}').waitFor();
  await second.page.getByRole("link", { name: "← All conflicts" }).click();
  await second.page.goBack(); // whoever has looked elsewhere finds it again
  for (const typed of ['{"n": 99}', "it was 99"]) await second.page.getByRole("region", { name: "Your result" }).getByText(typed).waitFor();
  await second.sound();
  await second.page.getByRole("button", { name: "Drop it" }).click();
  await second.page.getByRole("region", { name: "Your result" }).waitFor({ state: "detached" });
  for (const tab of [first, second]) await tab.close();
});

test("who hears of no conflict gets 409 for a second decision, and sees what happened all the same", async () => {
  const context = await browser.newContext();
  await context.addInitScript(deaf, { host: "", events: ["conflict", "conflicts"] });
  const tab = await Tab.open(browser, cluster.base("a"), `conflicts/${ids.faster}`, { context });
  await tab.page.getByRole("button", { name: "Keep b’s value" }).waitFor();
  await tab.page.locator(".header").getByText(/conflicts? open/).waitFor(); // the stream has begun, which says how many there are
  await cluster.call("b", "POST", `/v1/conflicts/${ids.faster}/resolve`, { delete: true });
  await until("a knows that it has ended", async () => (await cluster.get("a", `/v1/conflicts/${ids.faster}`)).state === "settled");
  await tab.page.getByRole("button", { name: "Keep b’s value" }).click();
  await tab.see("Settled while you looked");
  await tab.see("It became deleted");
  await tab.close();
});

test("one more version makes another conflict: the page says so, and leads to it", async () => {
  const tab = await open("third");
  await result(tab).fill('{"n": 98}');
  const old = (await cluster.call("a", "GET", `/v1/docs/tills/third?dot=${(await cluster.get("a", `/v1/conflicts/${ids.third}`)).siblings[0].dot}`)).headers.get("Causal-Context");
  await cluster.put("a", "/v1/docs/tills/third", { n: 4 }, { "Causal-Context": old ?? "" });
  await tab.see("Another version has come");
  await tab.page.getByRole("region", { name: "Your result" }).getByText('{"n": 98}').waitFor();
  await tab.page.getByRole("link", { name: "Look at it as it is now" }).click();
  await tab.see("2 versions that had not seen each other");
  assert.ok(!tab.page.url().endsWith(ids.third ?? ""));
  await tab.close();
});

test("an id that nobody knows, and a broken one, have a designed state with a way back", async () => {
  const tab = await Tab.open(browser, cluster.base("a"), `conflicts/${"a".repeat(26)}`);
  await tab.see("a knows no such conflict");
  await tab.page.getByRole("button", { name: "Ask b" }).click();
  await tab.see("b knows no such conflict");
  await tab.sound();
  await tab.page.goto(`${cluster.base("a")}/ui/#/conflicts/${encodeURIComponent("<b>")}`);
  await tab.page.getByText(/422 invalid/).waitFor();
  await tab.page.getByRole("link", { name: "← All conflicts" }).waitFor();
  await tab.close();
});

test("hostile documents are shown as text: nothing run, nothing fetched from elsewhere, CSP violations 0, on a phone too", async () => {
  for (const width of [1280, 390]) {
    const tab = await open(id, { width, height: 800 });
    assert.match(await line(tab, "/html"), /<script>window\.hacked=1<\/script>/);
    await tab.see(/characters more/);
    assert.match(await line(tab, "/__proto__/polluted"), /true/);
    assert.match(await line(tab, "/💥👩‍👩‍👧"), /👨‍👩‍👧‍👦/);
    await tab.page.getByRole("button", { name: "take /__proto__/polluted of a into the result" }).click();
    assert.match(await result(tab).inputValue(), /"__proto__": \{\s*"polluted": true/);
    assert.equal(await tab.page.evaluate(() => [/** @type {any} */ (window).hacked, /** @type {any} */ ({}).polluted].join()), ",");
    const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} px wide`);
    await tab.sound();
    await tab.shoot(`conflict-hostile-${width}`);
    await tab.page.goto(`${cluster.base("a")}/ui/#/conflicts`);
    await tab.page.locator(".rows").getByText(/open it to see what differs/).waitFor(); // too long to be read for one line
    tab.clean();
    await tab.close();
  }
});
