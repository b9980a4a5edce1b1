import type { ComponentChildren } from "preact";
import { Refused, Silent } from "../api/call.ts";
import { DecodeError } from "../api/decode.ts";
import { Ago } from "./time.tsx";

/** Fault says what rule 3 of the page asks of everything red: the cause, since when, and what to do. */
export interface Fault {
  what: string; // in a few words
  cause: string;
  since?: string | number | null;
  remedy: ComponentChildren;
  children?: ComponentChildren;
}

/** Trouble is a fault as a box. */
export function Trouble({ what, cause, since, remedy, children }: Fault) {
  return (
    <div class="trouble" role="alert">
      <strong>{what}</strong>{" "}
      {since && (
        <span class="muted">
          since <Ago at={since} plain />
        </span>
      )}
      <p>{cause}</p>
      <p class="remedy">{remedy}</p>
      {children}
    </div>
  );
}

/** Failed is what a call threw, as a fault with its remedy. */
export function Failed({ error, at, retry }: { error: unknown; at?: number; retry?: () => void }) {
  const again = retry && (
    <button type="button" onClick={retry}>
      Try again
    </button>
  );
  return (
    <Trouble {...faultOf(error)} {...(at ? { since: at } : {})}>
      {again}
    </Trouble>
  );
}

/** faultOf tells a failure in the three parts of rule 3. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Refused) {
    const p = error.problem;
    return { what: `${p.title} (${p.status} ${p.code})`, cause: p.detail, since: p.since, remedy: remedyOf(error) };
  }
  if (error instanceof Silent) {
    return {
      what: "No answer",
      cause: error.message,
      remedy: "Whether a write took effect is unknown: look before you send it again. Is the process running, and does this browser reach it?",
    };
  }
  if (error instanceof DecodeError) {
    return { what: "An answer that this page does not understand", cause: error.message, remedy: "Reload the page: the node may have another version than the page." };
  }
  return { what: "The page failed", cause: error instanceof Error ? error.message : String(error), remedy: "Reload the page, and report this." };
}

const remedies: Record<string, string> = {
  no_majority: "Write at the other side, or wait: the node takes writes again when it reaches a majority of votes.",
  catching_up: "Wait: the node fetches what it lacks and then takes writes.",
  disk_low: "Free space on this node's disk.",
  clock: "Set this node's clock right.",
  conflict_changed: "Somebody else settled it, or one more version came. Look at it as it is now.",
  open_conflict: "Settle the conflict first.",
  stale_context: "The document has changed since you opened it. Look at it as it is now, then decide again.",
  precondition_failed: "The document has changed since you opened it. Look at it as it is now, then decide again.",
  not_found: "Go back to the list: it may have been removed.",
  not_built: "This build does not have it yet.",
};

function remedyOf({ problem }: Refused): ComponentChildren {
  const said = remedies[problem.cause] ?? remedies[problem.code] ?? (problem.status >= 500 ? "Look at the node's log." : "Change it as the message says, and send it again.");
  if (problem.writable_nodes.length === 0) return said;
  return `${said} Writable now: ${problem.writable_nodes.join(", ")}`;
}
