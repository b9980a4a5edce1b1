import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { connection, dataNodes, members, told, unreachable, type Member } from "../live/members.ts";
import { Copy } from "../parts/copy.tsx";
import { count } from "../parts/text.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { cutBetween, facts, landing, pair, watch } from "./account.ts";
import { After } from "./after.tsx";
import { keep, story } from "./kept.ts";
import { Scene } from "./scene.tsx";
import { stageOf, type Stage } from "./stage.ts";
import { Before } from "./steps.tsx";
import "./tour.css";

/** maxLags is how many lines of the countdown are kept. */
const maxLags = 12;

/** Screen is the first minute: a cut, two writes, a conflict, and how it is mended. */
export default function Screen() {
  const lacks = missing();
  const nodes = pair();
  return (
    <div class="tour">
      <h1>Tour</h1>
      <p>What happens when the link between two nodes is cut, and how the conflict that it leaves is mended. Each step is done for real, by the requests that it shows.</p>
      {lacks ? <Needs lacks={lacks} /> : nodes ? <Story a={nodes[0]} b={nodes[1]} /> : <p class="muted">connecting …</p>}
    </div>
  );
}

/** missing is what the cluster lacks for the tour, or "" when it has it, or does not say yet. */
function missing(): string {
  if (unreachable.value || members.value.length === 0) return "";
  const [data, witnesses] = [dataNodes.value.length, members.value.length - dataNodes.value.length];
  if (data !== 2 || witnesses !== 1) return `this one has ${count(data, "data node")} and ${count(witnesses, "witness", "witnesses")}`;
  const unwilling = dataNodes.value.filter((m) => told(m)?.chaos === false).map((m) => m.name);
  return unwilling.length ? `${unwilling.join(" and ")} was started without --chaos, and lets nobody cut its links` : "";
}

function Needs({ lacks }: { lacks: string }) {
  return (
    <>
      <p>
        The tour needs a cluster of two data nodes and a witness that lets its links be cut; {lacks}. This starts one for as long as you look at it, on free ports and in a folder that is
        removed again:
      </p>
      <Copy label="copy command" text="syncline demo" />
    </>
  );
}

function Story({ a, b }: { a: Member; b: Member }) {
  const [at, go] = useState<Stage>("open");
  useEffect(watch, []);
  useEffect(() => {
    let stage: Stage = "open";
    return effect(() => {
      if (!facts.value) return;
      stage = stageOf(story.value, { facts: facts.value, cut: cutBetween(a, b) !== null, landed: landing() !== null }, stage);
      remember(stage);
      go(stage);
    });
  }, [a, b]);
  useEffect(() => effect(() => countDown([a, b])), [a, b]);
  const steps = useFollow(at);
  if (!facts.value) return <p class="muted">connecting …</p>;
  return (
    <>
      {members.value.map((m) => (
        <Away m={m} />
      ))}
      <Scene a={a} b={b} />
      <ol class="tour-steps" ref={steps}>
        <Before at={at} a={a} b={b} />
        <After at={at} a={a} b={b} />
      </ol>
    </>
  );
}

/** Away says that the tour waits for a process that does not answer. */
function Away({ m }: { m: Member }) {
  const c = connection(m);
  if (c.state !== "lost") return null;
  return <Trouble what={`${m.name} is not reached`} cause={c.why} since={c.since} remedy={`Start ${m.name} again. The tour goes on where it stands when it answers.`} />;
}

/** useFollow brings the step that has come into sight, and gives it the focus that the last one's button took along. */
function useFollow(at: Stage) {
  const steps = useRef<HTMLOListElement>(null);
  const last = useRef<Stage | null>(null);
  useEffect(() => {
    const step = steps.current?.querySelector<HTMLElement>(".tour-step.now");
    if (!step) return;
    const moved = last.current !== null && last.current !== at;
    last.current = at;
    if (!moved) return;
    if (document.activeElement === document.body) step.focus({ preventScroll: true });
    step.scrollIntoView({ block: "nearest" });
  });
  return steps;
}

/** remember keeps what will not be seen in the cluster any more, in the moment in which it is. */
function remember(stage: Stage): void {
  const where = landing();
  const { writes, conflict } = story.value;
  const open = facts.value?.conflict;
  if (where && !writes && (stage === "refuse" || stage === "heal")) keep({ writes: where.writes.name, refuses: where.refuses.name, landedAt: Date.now() });
  if (open && conflict?.id !== open.id) keep({ conflict: open });
}

/** countDown keeps what the nodes lacked after the link was healed, until it is nothing. */
function countDown(nodes: Member[]): void {
  const { healedAt, lags } = story.value;
  const over = nodes.map((m) => `${m.name} lacks nothing`).join(", ");
  if (!healedAt || lags.at(-1)?.lacks === over || lags.length >= maxLags) return;
  const lacks = nodes
    .map((m) => {
      const n = told(m)?.lag?.versions;
      return `${m.name} lacks ${n === null || n === undefined ? "an unknown number of versions" : n === 0 ? "nothing" : count(n, "version")}`;
    })
    .join(", ");
  if (lags.at(-1)?.lacks !== lacks) keep({ lags: [...lags, { after: Date.now() - healedAt, lacks }] });
}
