import { effect, signal } from "@preact/signals";
import { ask, type Call } from "../api/call.ts";
import { isObject, parse, same } from "../api/exact.ts";
import { command } from "../api/twin.ts";
import { comparable, verify } from "../api/verify.ts";
import { members, told, type Member } from "../live/members.ts";
import { collection, facts, id, landing, pair, path } from "./account.ts";
import { keep, nothing, noteExchange, story, type Tried } from "./kept.ts";
import { account, checked, config, conflict, rejected, type Conflict } from "./shapes.ts";
import { left, start, takes, type Stage } from "./stage.ts";
import { exchangeOf, sent, type Said } from "./wire.ts";

/** soon is how long the tour waits for what takes milliseconds on an idle machine, in milliseconds. */
const soon = 15_000;
/** again is the pause between two questions that wait for the same thing, in milliseconds. */
const again = 150;
/** cutFor is how long the cut lasts if nobody heals it. */
export const cutFor = "3m";

/** Doing is what a step is busy with, or why it failed. */
export const doing = signal<{ stage: Stage; what: string; error: unknown } | null>(null);

/** perform does a step, says what it is busy with, and keeps why it failed. */
export async function perform(stage: Stage, what: string, work: () => Promise<void>): Promise<void> {
  if (doing.value && doing.value.error === null) return; // one at a time
  doing.value = { stage, what, error: null };
  try {
    await work();
    doing.value = null;
  } catch (error) {
    doing.value = { stage, what, error };
  }
}

const say = (stage: Stage, what: string, call: Call): Promise<Said> => sent(call, (reply, code) => noteExchange(exchangeOf(stage, what, call, reply, code)));

/** must is an answer that the step cannot do without. */
async function must(stage: Stage, what: string, call: Call): Promise<string> {
  const said = await say(stage, what, call);
  if (!said.ok) throw said.refused;
  return said.reply.text;
}

/** comes waits until something that the page hears holds. */
function comes(holds: () => boolean, what: string): Promise<void> {
  return new Promise((done, fail) => {
    const late = setTimeout(() => {
      stop();
      fail(new Error(`not within ${soon / 1000} s: ${what}`));
    }, soon);
    const stop = effect(() => {
      if (!holds()) return;
      clearTimeout(late);
      queueMicrotask(() => stop());
      done();
    });
  });
}

function nodes(): [Member, Member] {
  const both = pair();
  if (!both) throw new Error("the roster has not two data nodes");
  return both;
}

const pause = (): Promise<void> => new Promise((done) => setTimeout(done, again));

// ---- the calls of each step, which the page shows before they are sent

const rules = { policy: { kind: "manual", rules: { "/balance": "sum" } } };
const write = (base: string, balance: number, headers?: Record<string, string>): Call => ({ base, method: "PUT", path, body: { balance }, ...(headers ? { headers } : {}) });
const putWords = (base: string, balance: number): string => command(base, "put", collection, id, `{"balance":${balance}}`);

export function openCalls([a]: [Member, Member]): Call[] {
  return [{ base: a.base, method: "PUT", path: `/v1/collections/${collection}`, body: rules }, write(a.base, start)];
}
export const openCommand = ([a]: [Member, Member]): string =>
  `${command(a.base, "collections", "set", collection, "--policy", "manual", "--rule", "/balance=sum")}\n${putWords(a.base, start)}`;

export function cutCalls([a, b]: [Member, Member]): Call[] {
  const fault = { from: a.name, to: b.name, kind: "cut", both: true, duration: cutFor };
  const cuts: Call[] = [a, b].map(({ base }) => ({ base, method: "POST", path: "/v1/chaos/faults", body: fault }));
  return [...cuts, write(a.base, left[0]), write(b.base, left[1])];
}
export const cutCommand = ([a, b]: [Member, Member]): string =>
  `${command(a.base, "chaos", "cut", a.name, b.name, "--for", cutFor)}; ${putWords(a.base, left[0])}; ${putWords(b.base, left[1])}`;

/** third is the write that the minority refuses: 10 more. */
const third = (refuses: Member): number => (refuses === nodes()[0] ? left[0] : left[1]) - 10;
export const refuseCalls = (refuses: Member): Call[] => [write(refuses.base, third(refuses))];
export const refuseCommand = (refuses: Member): string => putWords(refuses.base, third(refuses));

export const majorityCalls = (writes: Member): Call[] => [{ base: writes.base, method: "PUT", path: `/v1/docs/${collection}/receipt?ack=majority`, body: { asked: true } }];

export const tryCalls = (base: string, rule: string, source: string, conflict: string): [Call, Call, Call] => [
  { base, method: "PUT", path: `/v1/resolvers/${rule}`, body: source, headers: { "Content-Type": "text/plain" } },
  { base, method: "POST", path: "/v1/conflicts/resolve", body: { filter: { c: collection }, resolver: rule, dry_run: true } },
  { base, method: "POST", path: "/v1/resolvers/check", body: { source, name: rule, conflict } },
];
export const tryCommand = (base: string, rule: string): string =>
  `${command(base, "resolver", "examples", rule)} | ${command(base, "resolver", "put", rule, "-")}\n${command(base, "conflicts", "resolve", "--all", "-c", collection, "--resolver", rule, "--dry-run")}`;

/** why stands in the record of the conflict. */
const why = "the tour applies the bank's rule";
export const applyCalls = (base: string, conflict: string, rule: string): Call[] => [{ base, method: "POST", path: `/v1/conflicts/${conflict}/resolve`, body: { resolver: rule, reason: why } }];
export const applyCommand = (base: string, conflict: string, rule: string): string => command(base, "conflicts", "resolve", conflict, "--resolver", rule, "--reason", why);

// ---- the steps

/** open puts 120 on the account, whatever was on it before. */
export async function open(): Promise<void> {
  const both = nodes();
  const [a, b] = both;
  keep({ ...nothing(), begun: true });
  const [configure] = openCalls(both);
  if (configure) await must("open", `${a.name} takes the rules of the collection`, configure);
  const inForce = await ask(a.base, `/v1/collections/${collection}`, config);
  for (const late = Date.now() + soon; (await ask(b.base, `/v1/collections/${collection}`, config)).dot !== inForce.dot; await pause()) {
    if (Date.now() > late) throw new Error(`the rules have not come to ${b.name} within ${soon / 1000} s`);
  }
  // The tag says what the writer has seen, so the write ends what an earlier tour left open.
  const seen = facts.value?.sides[0];
  await must("open", `120 for alice, at ${a.name}`, write(a.base, start, seen?.etag ? { "If-Match": seen.etag } : undefined));
  await comes(() => facts.value?.sides.every((s) => s?.balance === start && s.versions === 0) ?? false, "both nodes show 120");
}

/** cut cuts the link, and at once writes on both sides: the moment before anybody notices. */
export async function cut(): Promise<void> {
  const both = nodes();
  const [a, b] = both;
  const [cutA, cutB, atA, atB] = cutCalls(both);
  if (!cutA || !cutB || !atA || !atB) return;
  keep({ cutAt: Date.now() });
  await Promise.all([must("cut", `${a.name} drops what goes to ${b.name}`, cutA), must("cut", `${b.name} drops what goes to ${a.name}`, cutB)]);
  const first = await say("cut", `${takes[0]} are taken at ${a.name}`, atA);
  const second = await say("cut", `${takes[1]} are taken at ${b.name}`, atB);
  const refusal = [first, second].find((s) => !s.ok);
  if (refusal && !refusal.ok) keep({ missed: refusal.refused.message });
}

/** refuse writes a third time, at the side without a majority. */
export async function refuse(): Promise<void> {
  const at = landing();
  const [call] = at ? refuseCalls(at.refuses) : [];
  if (!at || !call) throw new Error("the vote is not on one side any more");
  // Who may write, the minority learns from the witness with its next ballots.
  await comes(() => (told(at.refuses)?.node?.write.writable_nodes.length ?? 0) > 0, `${at.refuses.name} knows who may write`);
  const said = await say("refuse", `10 more, at ${at.refuses.name}`, call);
  if (said.ok) throw new Error(`${at.refuses.name} has taken the write: it has its votes again`);
  const { problem } = said.refused;
  keep({ refused: `${problem.status} ${problem.code}`, writes: at.writes.name, refuses: at.refuses.name });
}

/** askMajority asks for what would close the moment before, and says what this build answers. */
export async function askMajority(): Promise<void> {
  const at = landing();
  const [call] = at ? majorityCalls(at.writes) : [];
  if (!call) throw new Error("the vote is not on one side any more");
  const said = await say("refuse", "a write that a majority must have", call);
  keep({ majority: said.ok ? `${said.reply.status}` : `${said.refused.problem.status} ${said.refused.problem.code}` });
}

/** heal ends the cut on both ends, and waits until the two writes have met. */
export async function heal(calls: Call[]): Promise<void> {
  keep({ healedAt: Date.now(), lags: [] });
  const name = (base: string) => members.value.find((m) => m.base === base)?.name ?? base;
  await Promise.all(calls.map((call) => must("heal", call.method === "POST" ? `${name(call.base)} heals all that it reaches` : `${name(call.base)} ends its own faults`, call)));
}

/** tryRule stores an example and asks what it would make of the conflict, without doing it. */
export async function tryRule(rule: string, source: string, open: Conflict): Promise<void> {
  const [put, dry, check] = tryCalls(nodes()[0].base, rule, source, open.id);
  await must("decide", `${rule} is stored: it compiles, its tests pass, and no order of the versions alters what it says`, put);
  const lines = (await must("decide", `${rule}, as a dry run: nothing is written`, dry)).split("\n").filter(Boolean).map(parse);
  const line = lines.find((l) => isObject(l) && l["conflict"] === open.id);
  const text = await must("decide", `what ${rule} notes of it`, check);
  const { result } = checked(parse(text), "");
  const dryRun = isObject(line) && isObject(line["doc"]) ? line["doc"] : null;
  if (!result || !dryRun || !same(dryRun, result.doc)) throw new Error(`${rule} gives no value for this conflict`);
  const event = result.events.find((e) => e.name === "rejected");
  const refusedWrite = event ? rejected(event.data, "") : null;
  const tried: Tried = {
    rule,
    balance: account(dryRun, "").balance,
    notes: result.notes,
    rejected: refusedWrite && `${refusedWrite.amount} of ${refusedWrite.node}`,
  };
  keep({ tried: [...story.value.tried.filter((t) => t.rule !== rule), tried] });
}

/** apply ends the conflict by a rule, and compares the nodes. */
export async function apply(rule: string, open: Conflict): Promise<void> {
  const [a, b] = nodes();
  const [call] = applyCalls(a.base, open.id, rule);
  if (!call) return;
  await must("decide", `${rule} decides`, call);
  const settled = conflict(parse(await must("done", "the record of the conflict", { base: a.base, method: "GET", path: `/v1/conflicts/${open.id}` })), "");
  keep({ settled });
  await comes(() => facts.value?.sides.every((s) => s && s.versions === 0 && s.balance === facts.value?.sides[0]?.balance) ?? false, "both nodes show one value");
  await compare(a, b);
}

/** finish looks at how a conflict has ended, whoever ended it, and compares the nodes. */
export async function finish(known: Conflict): Promise<void> {
  const [a, b] = nodes();
  keep({ settled: await ask(a.base, `/v1/conflicts/${known.id}`, conflict) });
  await compare(a, b);
}

/** compare asks both for their digests until they are equal. */
export async function compare(a: Member, b: Member): Promise<void> {
  const question = ({ base }: Member): Call => ({ base, method: "GET", path: "/v1/verify" });
  for (const late = Date.now() + soon; ; await pause()) {
    const [ofA, ofB] = await Promise.all([ask(a.base, "/v1/verify", verify), ask(b.base, "/v1/verify", verify)]);
    const [one, two] = [ofA, ofB].map((v) => v.collections.get(collection)?.digest);
    const equal = one !== undefined && one === two && comparable(ofA, ofB);
    if (!equal && Date.now() < late) continue;
    await Promise.all([a, b].map((m) => must("done", `digests of ${m.name}`, question(m))));
    keep({ equal, digests: [{ node: a.name, digest: one ?? "" }, { node: b.name, digest: two ?? "" }] });
    return;
  }
}
