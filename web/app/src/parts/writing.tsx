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

/**
 * whyNot says why the node viewed takes no writes, or "" when it does. collection
 * is the Write-State of a collection, which may take writes without a majority.
 */
export function whyNot(collection = ""): string {
  const m = viewedMember.value;
  if (!m) return "not connected yet";
  const write = told(m)?.node?.write;
  if (!write) return connection(m).state === "lost" ? `${m.name} does not answer` : "not connected yet";
  if (stateOf(m) === "writable" || collection === "minority") return "";
  return `${m.name} takes no writes: ${causeWords(write.cause)}`;
}

/** ReadOnlyNote says, above what is greyed, why the node viewed takes no writes, and who does. */
export function ReadOnlyNote({ collection = "" }: { collection?: string }) {
  const m = viewedMember.value;
  const why = whyNot(collection);
  if (!m || !why) return null;
  const c = connection(m);
  const write = told(m)?.node?.write;
  const since = write?.since ?? (c.state === "lost" ? c.since : null);
  const others = dataNodes.value.filter((d) => d !== m && stateOf(d) === "writable");
  return (
    <div class="read-only" role="status">
      <Sign state={write ? "readonly" : stateOf(m)} /> {why}
      {since && (
        <>
          {" "}
          since <Ago at={since} plain />
        </>
      )}
      {write && ". It can still be read."}{" "}
      {others.map((d) => (
        <span class="elsewhere">
          {d.name} takes writes:{" "}
          <button type="button" onClick={() => (viewed.value = d.name)}>
            View {d.name}
          </button>{" "}
          <a href={`${d.base}/ui/${location.hash}`}>its own page</a>
        </span>
      ))}
      {others.length === 0 && <span>{hearsay(m.name, write?.writable_nodes ?? [])}</span>}
    </div>
  );
}

/** hearsay is what a node says of others that this page cannot ask. */
function hearsay(name: string, urls: string[]): string {
  if (urls.length === 0) return "No node is known that takes writes.";
  return `${name} says that these take writes: ${urls.join(", ")}. They do not answer this page.`;
}
