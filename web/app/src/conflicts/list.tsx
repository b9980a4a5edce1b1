import { computed, signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { go, route, to } from "../frame/route.ts";
import { base, dataNodes, told, viewed } from "../live/members.ts";
import { heard, useAsk } from "../parts/ask.ts";
import { Rows } from "../parts/rows.tsx";
import { Bulk } from "./bulk.tsx";
import { cutDuring, cutsOf } from "./cuts.ts";
import { type Episode, episodesOf } from "./episodes.ts";
import { Filters } from "./filters.tsx";
import { type Filter, Inbox, type Known, type Standing, states, type State } from "./inbox.ts";
import { KeysHelp, useKeys } from "./keys.tsx";
import { quiet, useEvents } from "./look.ts";
import { narrow } from "./narrow.ts";
import { Elsewhere, Nothing } from "./nothing.tsx";
import { pastsOf } from "./past.ts";
import { Heading, heights, Row } from "./row.tsx";
import type { Summary } from "./shapes.ts";
import type { Cut } from "./spacetime.ts";
import { Tabs } from "./tabs.tsx";

/** lastOpened is the conflict that somebody comes back from. */
export const lastOpened = signal("");

type Item = { kind: "episode"; episode: Episode } | { kind: "conflict"; conflict: Summary };

/** List is the inbox: all conflicts that the viewed node knows, by episode. */
export function List() {
  const { query } = route.value;
  const state = states.find((s) => s === query.get("tab")) ?? "open";
  const filter: Filter = { c: query.get("c") ?? "", by: state === "open" ? "" : (query.get("by") ?? "") };
  const inbox = useInbox(filter);
  const standing = useStanding(inbox);
  const held = useHeld();
  return (
    <section class="conflicts">
      <h1>Conflicts</h1>
      <p>
        Documents that were written in two places by writers who had not seen each other. Open ones wait for a rule or a person; what lost is kept on record, and
        can be restored. This is what <strong>{viewed.value}</strong> knows.
      </p>
      <Tabs state={state} filter={filter} known={standing.state === "here" ? standing.known : standing.state === "failed" ? "failed" : null} />
      <Filters state={state} filter={filter} />
      {standing.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {standing.state === "failed" && <Elsewhere error={standing.error} at={standing.at} retry={() => inbox.again()} />}
      {standing.state === "here" && <Shown key={`${state} ${filter.c} ${filter.by}`} inbox={inbox} state={state} known={standing.known} held={held} />}
    </section>
  );
}

/** useStanding is what the inbox has; what was read before its node fell silent is not shown as what is. */
function useStanding(inbox: Inbox): Standing {
  const is = inbox.standing.value;
  const silent = quiet();
  return is.state === "here" && silent && is.known.at < silent.since ? { state: "failed", error: silent.error, at: silent.since } : is;
}

/** useInbox reads what the viewed node knows, and again when it tells of a conflict or is lost. */
function useInbox(filter: Filter): Inbox {
  const inbox = useMemo(() => new Inbox(base.value, filter), [base.value, filter.c, filter.by]);
  useEffect(() => () => inbox.close(), [inbox]);
  useEvents((event) => {
    if (event.event.startsWith("conflict")) inbox.again();
  });
  useEffect(() => {
    if (inbox.standing.value.state !== "asking") inbox.again(); // what was is not what is
  }, [heard.value]);
  return inbox;
}

/** links are the states of all links, as a text that is another one only when they are. */
const links = computed(() => dataNodes.value.map((m) => `${m.name} ${(told(m)?.links ?? []).map((l) => l.state).join()}`).join(" "));

/** useCuts asks the nodes what cut them apart while the conflicts began. */
function useCuts(episodes: readonly Episode[]): Cut[] {
  const newest = episodes.slice(0, 20);
  const from = Math.min(...newest.map((e) => e.from)) - 60_000;
  const { answer } = useAsk(
    async (stop) => (Number.isFinite(from) ? cutsOf((await pastsOf(dataNodes.value.filter((m) => told(m)), from, Date.now(), stop)).pasts) : []),
    [newest.map((e) => e.id).join(), links.value],
  );
  return answer.state === "here" ? answer.value : [];
}

function Shown({ inbox, state, known, held }: { inbox: Inbox; state: State; known: Known; held: ReturnType<typeof useHeld> }) {
  const all = useMemo(() => episodesOf(states.flatMap((s) => known.lists[s].rows)), [known]);
  const items = useMemo(() => itemsOf(all, state), [all, state]);
  const cuts = useCuts(all);
  const list = useSelection(items, held);
  if (!known.lists[state].read) return <p class="muted">reading …</p>;
  if (items.length === 0) return <Nothing state={state} filtered={inbox.filter.c !== "" || inbox.filter.by !== ""} />;
  const whole = states.every((s) => known.lists[s].next === null);
  const { at, moved, selected } = list;
  return (
    <>
      <p class="muted conflicts-hint">
        <button type="button" class="link" onClick={() => (list.help.value = true)}>
          Keys
        </button>{" "}
        j, k, Enter, x
        {inbox.reading.value && ", reading …"}
      </p>
      <Bulk state={state} conflicts={items.flatMap((i) => (i.kind === "conflict" ? i.conflict : []))} selected={selected} select={list.choose} done={() => inbox.again()} />
      <Rows
        label={`${state} conflicts`}
        items={items}
        height={narrow.value ? heights.narrow : heights.wide}
        focus={at}
        nearEnd={inbox.reading.value ? undefined : () => void inbox.more(state)}
        row={(item, i) =>
          item.kind === "episode" ? (
            <Heading episode={item.episode} cut={cutDuring(cuts, item.episode.nodes, item.episode.from, item.episode.to)} whole={whole} />
          ) : (
            <Row
              conflict={item.conflict}
              inbox={inbox}
              active={i === at}
              focused={i === at && moved}
              selected={selected.has(item.conflict.id)}
              select={state === "reviewed" ? null : (range) => list.toggle(i, range)}
            />
          )
        }
      />
      {list.help.value && <KeysHelp close={() => (list.help.value = false)} />}
    </>
  );
}

/** itemsOf are the rows: each episode with those of its conflicts that the tab shows. */
function itemsOf(episodes: readonly Episode[], state: State): Item[] {
  return episodes.flatMap((episode) => {
    const rows = episode.conflicts.filter((c) => c.state === state);
    return rows.length === 0 ? [] : [{ kind: "episode", episode } as const, ...rows.map((conflict): Item => ({ kind: "conflict", conflict }))];
  });
}

/** useHeld is where the keyboard is, and what is selected: by conflict, since the list changes under both, and goes while its node is silent. */
function useHeld() {
  const cursor = useSignal(lastOpened.value);
  const moved = useSignal(lastOpened.value !== "");
  const anchor = useSignal("");
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const help = useSignal(false);
  return { cursor, moved, anchor, chosen, help };
}

/** useSelection moves it over the rows. */
function useSelection(items: readonly Item[], { cursor, moved, anchor, chosen, help }: ReturnType<typeof useHeld>) {
  const idAt = (i: number): string | null => {
    const item = items[i];
    return item?.kind === "conflict" ? item.conflict.id : null;
  };
  const place = (id: string) => (id ? items.findIndex((item) => item.kind === "conflict" && item.conflict.id === id) : -1);
  const at = place(cursor.value);
  const toggle = (i: number, range: boolean): void => {
    const id = idAt(i);
    if (id === null) return;
    const next = new Set(chosen.value);
    const from = range ? place(anchor.value) : -1;
    if (from >= 0) {
      for (let k = Math.min(from, i); k <= Math.max(from, i); k++) next.add(idAt(k) ?? id);
    } else if (!next.delete(id)) {
      next.add(id);
    }
    anchor.value = id;
    chosen.value = next;
  };
  useKeys({
    move: (by) => {
      let i = at + by;
      while (items[i]?.kind === "episode") i += by;
      const id = idAt(i);
      if (id === null) return;
      cursor.value = id;
      moved.value = true;
    },
    open: () => cursor.value && go(to("conflicts", [cursor.value])),
    select: (range) => toggle(at, range),
    clear: () => void (chosen.value = new Set()),
    help: () => void (help.value = true),
  });
  // What has ended, or has become another conflict, is not selected any more.
  const there = new Set(items.flatMap((item) => (item.kind === "conflict" ? item.conflict.id : [])));
  const selected = new Set([...chosen.value].filter((id) => there.has(id)));
  return { at, moved: moved.value, selected, help, toggle, choose: (ids: ReadonlySet<string>) => void (chosen.value = ids) };
}
