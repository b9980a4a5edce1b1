// The page asks every node of the roster itself, and shows what each says of
// itself. What a node says is only ever set as text.

const beat = 1000; // milliseconds between two rounds of questions
const patience = 2500; // milliseconds until a node that is silent counts as unknown
const verifyEvery = 3; // rounds between two questions for the digests

/** What is known of each member, by name. @type {Map<string, object>} */
const known = new Map();
let roster = [];
let viewed = "";
let cluster = "";
let round = 0;

const byId = (id) => document.getElementById(id);

/** An element with text and attributes; children are elements or strings. */
function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    e.setAttribute(name, value);
  }
  e.append(...children);
  return e;
}

const sign = (kind, text) => element("span", { "data-sign": kind }, text);

/** A past moment in words; the exact one shows on hover. */
function since(moment) {
  if (!moment) return element("span", null, "an unknown time");
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(moment)) / 1000));
  return element("time", { datetime: moment, title: moment }, duration(seconds) + " ago");
}

function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

async function ask(base, path) {
  const answer = await fetch(base + path, {
    cache: "no-store",
    credentials: "omit",
    signal: AbortSignal.timeout(patience),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

function entry(name) {
  if (!known.has(name)) {
    known.set(name, { name, cluster: null, verify: null, silent: new Date().toISOString(), error: "not asked yet" });
  }
  return known.get(name);
}

/** Asks one member; on failure what it said before no longer counts. */
async function askMember(member) {
  const e = entry(member.name);
  const base = "http://" + member.api;
  try {
    e.cluster = await ask(base, "/v1/cluster");
    if (member.role === "data" && (!e.verify || round % verifyEvery === 0)) {
      e.verify = await ask(base, "/v1/verify");
    }
    e.silent = null;
  } catch (error) {
    e.silent ??= new Date().toISOString();
    e.error = String(error.message ?? error);
    e.cluster = null;
    e.verify = null;
  }
}

/** The roster comes from the node that served the page, or from any other. */
async function learnRoster() {
  const bases = [location.origin, ...roster.filter((m) => m.api).map((m) => "http://" + m.api)];
  for (const base of bases) {
    try {
      const c = await ask(base, "/v1/cluster");
      if (c.roster?.members?.length) {
        roster = c.roster.members;
        cluster = c.cluster;
        if (base === location.origin) viewed = c.node;
        return;
      }
    } catch {
      // The next one may answer; who is silent shows in its own card.
    }
  }
}

/** A lag in words. Unknown is unknown, and never 0. */
function lag(l) {
  if (!l) return sign("unknown", "unknown");
  if (l.versions === null || l.versions === undefined) {
    return element("span", null, sign("unknown", "unknown since "), since(l.unknown_since));
  }
  if (l.versions === 0) return element("span", null, "nothing");
  return element("span", null, `${l.versions} versions, ${Number(l.seconds).toFixed(1)} s`);
}

function term(list, name, ...value) {
  list.append(element("dt", null, name), element("dd", null, ...value));
}

const causes = {
  no_majority: "no majority of votes",
  catching_up: "catching up",
  disk_low: "the disk is nearly full",
  clock: "its clock is wrong",
};

function dataCard(member, e) {
  const c = e.cluster;
  const w = c.write;
  const writable = w.state === "writable" || w.state === "override";
  const card = element("article", { class: "node", "data-state": writable ? "writable" : "read-only" });
  card.append(element("h3", null, element("span", { class: "mono" }, member.name), sign(writable ? "writable" : "read-only", w.state)));
  const list = element("dl");
  if (w.cause) term(list, "cause", causes[w.cause] ?? w.cause);
  term(list, "since", since(w.since));
  term(list, "votes", `${w.votes.have} of ${w.votes.of}, needs ${w.votes.need}`);
  if (writable && w.expires_in_ms > 0) term(list, "lease", `${(w.expires_in_ms / 1000).toFixed(1)} s left`);
  if (c.catching_up) term(list, "catching up", sign("unknown", "yes: it lacks data"));
  term(list, "conflicts", c.conflicts.open ? sign("conflict", `${c.conflicts.open} open`) : "none open");
  if (c.disk.low) term(list, "disk", sign("read-only", "nearly full"));
  term(list, "API", element("span", { class: "mono" }, member.api));
  card.append(list);
  if (!writable) card.append(todo(member, w));
  if (c.peers.length) card.append(peerTable(member, c.peers));
  return card;
}

/** What somebody can do who wanted to write here. */
function todo(member, w) {
  const elsewhere = w.writable_nodes?.[0];
  if (!elsewhere) {
    return element("p", { class: "todo" }, "Reads still work. No node that takes writes is known to ", member.name, ".");
  }
  const curl = `curl -X PUT ${elsewhere}/v1/docs/COLLECTION/ID -d '{}'`;
  return element("p", { class: "todo" }, "Reads still work. Write here instead: ", element("code", null, curl));
}

function peerTable(member, peers) {
  const body = element("tbody");
  for (const p of peers) {
    body.append(
      element("tr", null,
        element("td", { class: "mono" }, p.name),
        element("td", null, p.reachable ? "reachable" : sign("unknown", "not reachable"), " since ", since(p.since)),
        element("td", null, lag(p.node_lacks)),
        element("td", null, lag(p.peer_lacks))));
  }
  const head = element("tr", null, ...["peer", "link", `${member.name} lacks`, "it lacks"].map((t) => element("th", { scope: "col" }, t)));
  return element("table", null, element("thead", null, head), body);
}

function card(member) {
  const e = entry(member.name);
  if (member.role === "data" && e.cluster) return dataCard(member, e);
  const out = element("article", { class: "node", "data-state": e.cluster ? "writable" : "unknown" });
  const state = e.cluster ? sign("good", "answers") : sign("unknown", member.api ? "silent" : "has no public address");
  out.append(element("h3", null, element("span", { class: "mono" }, member.name), state));
  const list = element("dl");
  term(list, "role", member.role);
  if (member.api && e.silent) {
    term(list, "silent since", since(e.silent));
    term(list, "what was tried", `http://${member.api}: ${e.error}`);
    term(list, "what to do", `is the process running? curl http://${member.api}/livez`);
  }
  if (member.api) term(list, "API", element("span", { class: "mono" }, member.api));
  out.append(list);
  return out;
}

const sorted = (object) => JSON.stringify(Object.entries(object).sort());

/** Digests can be compared only at equal frontiers with nothing loose. */
function compare(answers) {
  const verified = answers.filter((e) => e.verify);
  if (verified.length < answers.length) {
    return { kind: "unknown", text: `unknown: ${answers.length - verified.length} of ${answers.length} nodes have not answered` };
  }
  if (verified.some((e) => e.verify.loose > 0) || new Set(verified.map((e) => sorted(e.verify.frontier))).size > 1) {
    return { kind: "unknown", text: "not comparable at this moment: the nodes do not have the same writes yet" };
  }
  const names = new Set(verified.flatMap((e) => Object.keys(e.verify.collections)));
  const different = [...names].filter((n) => new Set(verified.map((e) => digest(e.verify.collections[n]))).size > 1);
  if (different.length) return { kind: "conflict", text: `different in ${different.join(", ")} although all have the same writes` };
  return { kind: "good", text: verified.length > 1 ? "identical on all nodes" : "one node only" };
}

/** Documents and digest; a collection that is empty has neither. */
const digest = (c) => (c && c.documents > 0 ? `${c.digest} ${c.documents}` : "");

function showDigests(data) {
  const answers = data.map((m) => entry(m.name));
  const result = compare(answers);
  byId("digests-says").replaceChildren(sign(result.kind, result.text));
  const head = element("tr", null, ...["collection", ...data.map((m) => m.name)].map((t) => element("th", { scope: "col" }, t)));
  const names = new Set(answers.flatMap((e) => Object.keys(e.verify?.collections ?? {})));
  const rows = [...names].sort().map((name) => element("tr", null,
    element("th", { scope: "row", class: "mono" }, name),
    ...answers.map((e) => digestCell(e, name))));
  const table = byId("digests");
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...rows);
  return result;
}

function digestCell(e, name) {
  if (!e.verify) return element("td", null, sign("unknown", "?"));
  const c = e.verify.collections[name];
  if (!c) return element("td", null, "none");
  const short = c.digest.slice(0, 6) + "…" + c.digest.slice(-4);
  const text = `${c.documents} documents${c.conflicts ? `, ${c.conflicts} in conflict` : ""}`;
  return element("td", null, text, " ", element("span", { class: "mono", title: c.digest }, short));
}

/** Everything that keeps the page from being green. */
function worries(digests) {
  const out = [];
  for (const m of roster) {
    const e = entry(m.name);
    if (m.api && !e.cluster) out.push(["unknown", `${m.name} is silent: ${e.error}`]);
    if (m.role !== "data" || !e.cluster) continue;
    const c = e.cluster;
    if (c.write.state !== "writable") out.push(["read-only", `${m.name} is ${c.write.state}${c.write.cause ? ": " + (causes[c.write.cause] ?? c.write.cause) : ""}`]);
    if (c.conflicts.open) out.push(["conflict", `${m.name} has ${c.conflicts.open} open conflict${c.conflicts.open === 1 ? "" : "s"}: curl 'http://${m.api}/v1/docs/COLLECTION?conflicted=true'`]);
    for (const p of c.peers) {
      if (!p.reachable) out.push(["unknown", `${m.name} does not reach ${p.name}`]);
      if (p.node_lacks?.versions === null) out.push(["unknown", `what ${m.name} lacks of ${p.name} is unknown`]);
      if (p.node_lacks?.versions > 0) out.push(["unknown", `${m.name} lacks ${p.node_lacks.versions} versions of ${p.name}`]);
    }
  }
  if (digests.kind !== "good") out.push([digests.kind, "digests: " + digests.text]);
  return out;
}

function show() {
  const data = roster.filter((m) => m.role === "data");
  byId("cluster").textContent = cluster;
  byId("viewed").textContent = viewed ? `served by ${viewed}` : "";
  byId("nodes").replaceChildren(...roster.map(card));
  const list = worries(showDigests(data));
  const writable = data.filter((m) => entry(m.name).cluster?.write.state === "writable").map((m) => m.name);
  const verdict = byId("verdict");
  const worst = ["conflict", "read-only", "unknown"].find((kind) => list.some(([k]) => k === kind)) ?? "good";
  const where = writable.length ? `writes are taken at ${writable.join(", ")}` : "no node is known to take writes";
  const text = list.length ? `${where}; ${list.length} to look at` : `all well: ${where}`;
  if (verdict.textContent !== text) verdict.textContent = text;
  verdict.dataset.sign = roster.length ? worst : "unknown";
  byId("concerns").replaceChildren(...list.map(([kind, t]) => element("li", null, sign(kind, t))));
}

async function tick() {
  if (round % 10 === 0 || roster.length === 0) await learnRoster();
  await Promise.all(roster.filter((m) => m.api).map(askMember));
  show();
  round += 1;
  setTimeout(tick, document.hidden ? 5 * beat : beat);
}

tick();
