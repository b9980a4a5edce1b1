import { computed } from "@preact/signals";
import { connection, dataNodes, stateOf, told, viewed, viewedMember } from "../live/members.ts";
import { Sign } from "./sign.tsx";
import { Ago } from "./time.tsx";

const causes: Record<string, string> = {
  no_majority: "no majority",
  catching_up: "catching up",
  disk_low: "disk nearly full",
  clock: "clock wrong",
};

/** causeWords is why a node takes no writes, in words. */
export const causeWords = (cause: string): string => causes[cause] ?? (cause || "no reason given");

/** writeWords is a node's state in words. */
export function writeWords(state: string, cause: string): string {
  if (state === "writable") return "Writable";
  if (state === "override") return "Override: writable by hand";
  return `Read-only: ${causeWords(cause)}`;
}

// What is said of writing is computed apart, in texts: a node tells something
// many times a second, and a screen is to be drawn only when one of these differs.
const write = () => viewedMember.value && told(viewedMember.value)?.node?.write;
const taken = computed(() => viewedMember.value !== undefined && stateOf(viewedMember.value) === "writable");
const cause = computed(() => write()?.cause ?? null); // null: nothing is known
const lost = computed(() => {
  const c = viewedMember.value && connection(viewedMember.value);
  return c?.state === "lost" ? c.since : null;
});
const since = computed(() => write()?.since ?? lost.value);
const named = computed(() => write()?.writable_nodes.join(", ") ?? "");
const others = computed(() =>
  dataNodes.value
    .filter((d) => d !== viewedMember.value && stateOf(d) === "writable")
    .map((d) => d.name)
    .join(),
);

/**
 * whyNot says why the node viewed takes no writes, or "" when it does. collection
 * is the Write-State of a collection, which may take writes without a majority.
 */
export function whyNot(collection = ""): string {
  const name = viewed.value;
  if (taken.value) return "";
  if (cause.value === null) return lost.value === null ? "not connected yet" : `${name} does not answer`;
  return collection === "minority" ? "" : `${name} takes no writes`;
}

/** ReadOnlyNote says, above what is greyed, why the node viewed takes no writes, and who does. */
export function ReadOnlyNote({ collection = "" }: { collection?: string }) {
  const why = whyNot(collection);
  const known = cause.value !== null;
  if (!why || !viewedMember.value) return null;
  const elsewhere = dataNodes.value.filter((d) => others.value.split(",").includes(d.name));
  return (
    <div class="read-only" role="status">
      <Sign state={known ? "readonly" : lost.value === null ? "unknown" : "down"} />
      <span>
        {why}
        {cause.value !== null && `: ${causeWords(cause.value)}`}
        {since.value && (
          <>
            , since <Ago at={since.value} plain />
          </>
        )}
        . {known && "It can still be read."}
      </span>
      {elsewhere.map((d) => (
        <span class="elsewhere">
          {d.name} takes writes:{" "}
          <button type="button" onClick={() => (viewed.value = d.name)}>
            View {d.name}
          </button>{" "}
          <a href={`${d.base}/ui/${location.hash}`}>its own page</a>
        </span>
      ))}
      {elsewhere.length === 0 && <span>{hearsay(viewed.value, named.value)}</span>}
    </div>
  );
}

/** hearsay is what a node says of others that this page cannot ask. */
function hearsay(name: string, urls: string): string {
  return urls ? `${name} says that these take writes: ${urls}. They do not answer this page.` : "No node is known that takes writes.";
}
