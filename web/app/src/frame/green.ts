import { computed, effect, type ReadonlySignal } from "@preact/signals";
import { dataNodes, openConflicts, told } from "../live/members.ts";

/**
 * whyNotGreen is rule 1 of the page: never green while a conflict is open or a
 * lag is unknown. It says why, or "" when green is allowed.
 */
export const whyNotGreen: ReadonlySignal<string> = computed(() => {
  const { count, silent } = openConflicts.value;
  if (count === null) return "no node says what is in conflict";
  if (silent.length > 0) return `what ${silent.join(" and ")} lacks is unknown`;
  if (count > 0) return "a conflict is open";
  for (const m of dataNodes.value) {
    const peer = told(m)?.node?.peers.find((p) => p.node_lacks.versions === null || p.peer_lacks.versions === null);
    if (peer) return `what ${m.name} and ${peer.name} lack of each other is unknown`;
  }
  return "";
});

// One place for all screens: the style has no green while this says so.
effect(() => {
  document.documentElement.dataset["green"] = whyNotGreen.value ? "no" : "yes";
});
