import { computed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { whyNotGreen } from "../frame/green.ts";
import { to } from "../frame/route.ts";
import { connection, dataNodes, faults, members, openConflicts, stateOf, told, type Member } from "../live/members.ts";
import { Sign } from "../parts/sign.tsx";
import { count } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { writeWords } from "../parts/writing.tsx";
import { and } from "./words.ts";

/** Verdict says who may write, what is wrong, and what to do. It is green by rule 1 only. */
export function Verdict() {
  const writable = dataNodes.value.filter((m) => stateOf(m) === "writable");
  const connecting = members.value.filter((m) => connection(m).state === "connecting");
  if (members.value.length === 0 || (writable.length === 0 && connecting.length > 0)) return <p class="muted">asking every node …</p>;
  const wrong = problems();
  const who = whoWrites(writable);
  const green = whyNotGreen.value === "" && wrong.length === 0 && writable.length === dataNodes.value.length;
  if (writable.length === 0) return <NobodyWrites wrong={wrong} />;
  return (
    <div class={green ? "cluster-verdict good" : "cluster-verdict"} role="status">
      <p>
        <Sign state="writable" word={who} />
        {green && <>. Nothing is in conflict{behind() || ", and every node has all"}.</>}
      </p>
      <Problems of={wrong} />
    </div>
  );
}

function whoWrites(writable: Member[]): string {
  const names = writable.map((m) => m.name);
  const all = names.length === dataNodes.value.length;
  return `${all || names.length > 1 ? "" : "Only "}${and(names)} ${names.length === 1 ? "takes" : "take"} writes`;
}

/** behind is who lacks something, as far as each node says of itself. */
function behind(): string {
  const lacking = dataNodes.value.flatMap((m) => {
    const versions = Math.max(0, ...(told(m)?.node?.peers ?? []).map((p) => p.node_lacks.versions ?? 0));
    return versions > 0 ? [`${m.name} is ${count(versions, "version")} behind`] : [];
  });
  return lacking.length ? `; ${and(lacking)}` : "";
}

function NobodyWrites({ wrong }: { wrong: Problem[] }) {
  const silent = dataNodes.value.filter((m) => !told(m)).map((m) => m.name);
  const since = dataNodes.value.map((m) => told(m)?.node?.write.since ?? null).filter((s) => s !== null).sort().at(-1);
  const cause = silent.length === 0 ? "Every node is read-only." : `What ${and(silent)} ${silent.length === 1 ? "does" : "do"} is unknown; every other node is read-only.`;
  return (
    <Trouble
      what={silent.length === 0 ? "No node takes writes" : "No node that this page reaches takes writes"}
      cause={cause}
      since={since ?? connection(dataNodes.value[0] ?? members.value[0] ?? nobody).since}
      remedy="Reads work at every node that answers. Start the nodes that are down, or mend the links between them: a node with a majority of votes takes writes again by itself."
    >
      <Problems of={wrong} />
    </Trouble>
  );
}

const nobody: Member = { name: "", role: "data", base: "", feed: null };

interface Problem {
  key: string;
  sign?: "readonly" | "down" | "unknown" | "conflict";
  what: ComponentChildren;
  remedy: ComponentChildren;
}

function Problems({ of }: { of: Problem[] }) {
  if (of.length === 0) return null;
  return (
    <ul class="cluster-problems">
      {of.map((p) => (
        <li key={p.key}>
          {p.sign && <Sign state={p.sign} />} <span>{p.what}</span> <span class="remedy">{p.remedy}</span>
        </li>
      ))}
    </ul>
  );
}

function problems(): Problem[] {
  return [...members.value.flatMap(silence), ...dataNodes.value.flatMap(readOnly), ...conflicts(), ...unknownLags(), ...alerts()];
}

function silence(m: Member): Problem[] {
  const c = connection(m);
  if (c.state !== "lost") return [];
  const does = m.role === "witness" ? "whom it gives its vote is unknown" : "what it does is unknown";
  return [
    {
      key: `silent ${m.name}`,
      sign: "down",
      what: (
        <>
          <b>{m.name}</b> is not reached since <Ago at={c.since} plain /> ({c.why}): {does}.
        </>
      ),
      remedy: m.base ? "Is its process running, and does this browser reach it?" : "Give it an API address in the roster.",
    },
  ];
}

const chaosIsOn = computed(() => faults.value.length > 0);

function readOnly(m: Member): Problem[] {
  const write = told(m)?.node?.write;
  if (!write || stateOf(m) !== "readonly") return [];
  const { have, need, of } = write.votes;
  const elsewhere = write.writable_nodes.length > 0 ? `Write at ${and(write.writable_nodes)}.` : "";
  const chaos = chaosIsOn.value ? " Chaos is on: heal everything ends it." : "";
  return [
    {
      key: `readonly ${m.name}`,
      sign: "readonly",
      what: (
        <>
          <b>{m.name}</b> is {writeWords(write.state, write.cause).toLowerCase()}
          {write.since && (
            <>
              {" "}
              since <Ago at={write.since} plain />
            </>
          )}
          {write.cause === "no_majority" && ` (it has ${have} of ${of} votes and needs ${need})`}. Reads work.
        </>
      ),
      remedy: `${elsewhere || "It takes writes again by itself once the cause is gone."}${chaos}`,
    },
  ];
}

function conflicts(): Problem[] {
  const n = openConflicts.value.count;
  if (!n) return [];
  return [{ key: "conflicts", sign: "conflict", what: `${count(n, "conflict")} ${n === 1 ? "is" : "are"} open.`, remedy: <a href={to("conflicts")}>Settle {n === 1 ? "it" : "them"}</a> }];
}

/** unknownLags are pairs that do not know what they lack of each other, by the word of either. */
function unknownLags(): Problem[] {
  const pairs = new Map<string, { says: string[]; since: string | null }>();
  for (const m of dataNodes.value) {
    for (const p of told(m)?.node?.peers ?? []) {
      const lost = [p.node_lacks, p.peer_lacks].find((l) => l.versions === null);
      if (!lost) continue;
      const key = [m.name, p.name].sort().join(" and ");
      const pair = pairs.get(key) ?? { says: [], since: lost.unknown_since };
      pair.says.push(m.name);
      pairs.set(key, pair);
    }
  }
  return [...pairs].map(([names, { says, since }]) => ({
    key: `lag ${names}`,
    sign: "unknown",
    what: (
      <>
        What {names} lack of each other is unknown
        {since && (
          <>
            {" "}
            since <Ago at={since} plain />
          </>
        )}{" "}
        (by {and(says)}).
      </>
    ),
    remedy: "It is known again once they reach each other.",
  }));
}

/** alerts are what nodes say of their votes that is not yet a fault. Of a read-only node its state says more. */
function alerts(): Problem[] {
  return members.value.flatMap((m) => {
    if (m.role === "data" && stateOf(m) === "readonly") return [];
    return (told(m)?.votes.alerts ?? []).map((alert): Problem => ({ key: `alert ${m.name} ${alert}`, what: `${m.name} says: ${alert}.`, remedy: "Bring back what is missing before more is lost." }));
  });
}
