// Real processes of the built program, for tests in a browser.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "./ports.js";

/** The program under test: SYNCLINE_BIN, or what `make build` left. */
export const program = resolve(process.env.SYNCLINE_BIN ?? fileURLToPath(new URL("../../../bin/syncline", import.meta.url)));
/** How long a process may take to start or to end, in milliseconds. */
const soon = 20_000;
/** The lease of a vote, twice the usual one: a busy machine loses it less easily. A longer one makes each start longer. */
const lease = "3s";

/** A cluster: data nodes a, b, … and a witness w, each a process of its own. */
export class Cluster {
  /** @type {Map<string, { role: string, api: string, process?: import("node:child_process").ChildProcess }>} */
  members = new Map();
  folder = "";
  /** Where a has its chaos scripts; "": it has those that ship, as all others have. */
  scripts = "";

  /** Starts a cluster and waits until every node takes writes. @param {{ nodes?: number, witness?: boolean, scripts?: Record<string, string> }} [shape] the scripts are offered by a alone */
  static async start({ nodes = 2, witness = true, scripts = {} } = {}) {
    const c = new Cluster();
    c.folder = await mkdtemp(join(tmpdir(), "syncline-browser-"));
    const names = [..."abcdefghi"].slice(0, nodes);
    const ports = await freePorts(3 * nodes + 2);
    const address = () => `127.0.0.1:${ports.pop()}`;
    const lines = ["cluster: shop", "secret_file: ./secret", `timing: {lease: ${lease}}`, "roster:"];
    for (const name of [...names, ...(witness ? ["w"] : [])]) {
      const role = name === "w" ? "witness" : "data";
      const api = address();
      c.members.set(name, { role, api });
      lines.push(`  - {name: ${name}, role: ${role}, api: "${api}", peer: "${address()}"${role === "data" ? `, gossip: "${address()}"` : ""}}`);
    }
    await writeFile(join(c.folder, "shop.yaml"), lines.join("\n") + "\n");
    await writeFile(join(c.folder, "secret"), randomBytes(32).toString("hex") + "\n", { mode: 0o600 });
    if (Object.keys(scripts).length > 0) await mkdir((c.scripts = join(c.folder, "scripts")));
    for (const [name, text] of Object.entries(scripts)) await writeFile(join(c.scripts, `${name}.star`), text);
    try {
      await Promise.all([...c.members.keys()].map((name) => c.launch(name)));
      await Promise.all(names.map((name) => c.writable(name)));
    } catch (error) {
      await c.stop();
      throw error;
    }
    return c;
  }

  /** Starts one process and waits until it serves. @param {string} name @param {boolean} [chaos] it takes faults */
  async launch(name, chaos = true) {
    const m = this.member(name);
    const log = await open(join(this.folder, `${name}.log`), "a");
    await mkdir(join(this.folder, name), { recursive: true });
    const command = m.role === "witness" ? "witness" : "serve";
    const args = [command, "--config", join(this.folder, "shop.yaml"), "--name", name, "--data", join(this.folder, name), ...(chaos ? ["--chaos"] : []), ...(this.scripts && name === "a" ? ["--chaos-scripts", this.scripts] : [])];
    m.process = spawn(program, args, { stdio: ["ignore", log.fd, log.fd] });
    await log.close();
    await until(`${name} serves`, async () => {
      if (m.process?.exitCode !== null) throw new Error(`${name} ended: ${await readFile(join(this.folder, `${name}.log`), "utf8")}`);
      return (await fetch(`${this.base(name)}/livez`)).ok;
    });
  }

  /** @param {string} name */
  async writable(name) {
    await until(`${name} takes writes with all votes`, async () => {
      const { write } = await this.get(name, "/v1/cluster");
      return write.state === "writable" && write.votes.have === write.votes.of;
    });
  }

  /** @param {string} name */
  member(name) {
    const m = this.members.get(name);
    if (!m) throw new Error(`no member ${name}`);
    return m;
  }

  /** @param {string} name */
  base(name) {
    return `http://${this.member(name).api}`;
  }

  /** Sends a signal, and waits for the end when it is one that ends. @param {string} name @param {NodeJS.Signals} signal */
  async signal(name, signal) {
    const { process: p } = this.member(name);
    if (!p || p.exitCode !== null || p.signalCode !== null) return;
    const ended = new Promise((done) => p.once("exit", done));
    p.kill(signal);
    if (signal === "SIGKILL" || signal === "SIGTERM") await ended;
  }

  /** Sends a request and returns its status, headers and JSON. @param {string} name @param {string} method @param {string} path @param {unknown} [body] @param {Record<string, string>} [headers] */
  async call(name, method, path, body, headers = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const r = await fetch(this.base(name) + path, { method, ...(body === undefined ? {} : { body: text }), headers: { "Content-Type": "application/json", ...headers } });
    const said = await r.text();
    return { status: r.status, headers: r.headers, json: said ? JSON.parse(said) : null };
  }

  /** @param {string} name @param {string} path */
  async get(name, path) {
    const r = await this.call(name, "GET", path);
    if (r.status !== 200) throw new Error(`GET ${path} at ${name}: ${r.status} ${JSON.stringify(r.json)}`);
    return r.json;
  }

  /** @param {string} name @param {string} path @param {unknown} doc @param {Record<string, string>} [headers] */
  async put(name, path, doc, headers) {
    const r = await this.call(name, "PUT", path, doc, headers);
    if (r.status >= 300) throw new Error(`PUT ${path} at ${name}: ${r.status} ${JSON.stringify(r.json)}`);
    return r;
  }

  /** Cuts the link between two members on both ends, until it is healed. @param {string} x @param {string} y */
  async cut(x, y) {
    for (const name of [x, y]) {
      const r = await this.call(name, "POST", "/v1/chaos/faults", { from: x, to: y, kind: "cut", both: true, duration: "10m" });
      if (r.status !== 201) throw new Error(`cut at ${name}: ${r.status} ${JSON.stringify(r.json)}`);
    }
  }

  /** Ends all faults and waits until every data node takes writes and all have the same. */
  async heal() {
    for (const name of this.members.keys()) await this.call(name, "DELETE", "/v1/chaos/faults");
    const nodes = [...this.members].filter(([, m]) => m.role === "data").map(([name]) => name);
    await Promise.all(nodes.map((name) => this.writable(name)));
    await until("all nodes have the same", async () => {
      const said = await Promise.all(nodes.map((name) => this.get(name, "/v1/verify")));
      const first = JSON.stringify(said[0].collections);
      return said.every((v) => v.loose === 0 && JSON.stringify(v.collections) === first);
    });
  }

  /** Lets a collection take writes at nodes without a majority too, or not. @param {string} collection @param {"accept" | "refuse"} minority */
  async minority(collection, minority) {
    const path = `/v1/collections/${collection}`;
    const r = await this.call("a", "PATCH", path, { minority }, { "Content-Type": "application/merge-patch+json" });
    if (r.status !== 200 && r.status !== 201) throw new Error(`PATCH ${path}: ${r.status} ${JSON.stringify(r.json)}`);
    const { dot } = await this.get("a", path);
    for (const [name, m] of this.members) {
      if (m.role === "data") await until(`${name} knows the settings of ${collection}`, async () => (await this.get(name, path)).dot === dot);
    }
  }

  /**
   * Makes conflicts: one document each, written on both sides of a cut, then healed. Both sides take their writes
   * however long they come after the cut.
   * @param {string} collection @param {number} n
   */
  async conflict(collection, n = 1) {
    const key = (/** @type {number} */ i) => `/v1/docs/${collection}/k${String(i).padStart(5, "0")}`;
    const lines = (/** @type {number} */ balance) => Array.from({ length: n }, (_, i) => JSON.stringify({ id: `k${String(i).padStart(5, "0")}`, doc: { balance } })).join("\n") + "\n";
    const bulk = async (/** @type {string} */ name, /** @type {number} */ balance) => {
      const r = await fetch(`${this.base(name)}/v1/bulk/${collection}`, { method: "POST", body: lines(balance), headers: { "Content-Type": "application/x-ndjson" } });
      const said = await r.text();
      if (!said.includes(`"done":true,"ok":${n},`)) throw new Error(`bulk at ${name}: ${r.status} ${said.slice(-1000)}`);
    };
    await bulk("a", 120);
    await until("b has them", async () => (await this.call("b", "GET", key(n - 1))).status === 200);
    await this.minority(collection, "accept");
    await this.cut("a", "b");
    await bulk("a", 20);
    await bulk("b", 70);
    await this.heal();
    await this.minority(collection, "refuse");
  }

  /** Ends all processes and removes the folder. */
  async stop() {
    for (const name of this.members.keys()) {
      await this.signal(name, "SIGCONT");
      await this.signal(name, "SIGKILL");
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Waits until a condition holds, and says which did not. @param {string} what @param {() => boolean | Promise<boolean>} holds @param {number} [within] */
export async function until(what, holds, within = soon) {
  const deadline = Date.now() + within;
  let last = "";
  for (;;) {
    try {
      if (await holds()) return;
      last = "";
    } catch (error) {
      last = `: ${error}`;
    }
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}${last}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
