import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { send, type Call, type Reply } from "../api/call.ts";
import { forbidden, type Scope } from "../api/credential.ts";
import { curl } from "../api/twin.ts";
import { Copy } from "./copy.tsx";
import { Failed } from "./trouble.tsx";

/** Action is what a button does: requests, shown as curl, and the same as a command line. */
export interface Action {
  label: ComponentChildren;
  calls: Call[];
  command: string;
  scope: Scope;
  /** What the person is told first, where something is lost by it. */
  confirm?: string;
}

/**
 * Act is a button for an action, with its two twins to copy. What it fails of is
 * shown below it, unless failed takes it. Where run is given it does the work of
 * the calls, such as one whose answer is long and shows its progress. While it
 * is busy it takes no second click, and keeps the focus.
 */
export function Act(props: {
  action: Action;
  done?: (replies: Reply[]) => void;
  run?: () => Promise<void>;
  failed?: (error: unknown) => boolean;
  class?: string;
  disabled?: string;
}) {
  const { action, done } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const lacks = forbidden.value.has(action.scope) ? `your token lacks the scope ${action.scope}` : (props.disabled ?? "");
  const run = async () => {
    if (busy || (action.confirm && !confirm(action.confirm))) return;
    setBusy(true);
    setError(null);
    try {
      const replies = props.run ? (await props.run(), []) : await Promise.all(action.calls.map((call) => send(call)));
      done?.(replies);
    } catch (e) {
      if (!props.failed?.(e)) setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span class="act">
      <button type="button" class={props.class} disabled={lacks !== ""} title={lacks} aria-disabled={busy} aria-busy={busy} onClick={run}>
        {action.label}
      </button>
      {lacks && <span class="muted"> {lacks}</span>}
      <Twins calls={action.calls} command={action.command} />
      {error !== null && <Failed error={error} />}
    </span>
  );
}

/** Twins are the same action as curl and as a command, to copy. What no build has yet has no command: "". */
export function Twins({ calls, command }: { calls: Call[]; command: string }) {
  const [open, setOpen] = useState(false);
  return (
    <span class="twins">
      <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)} title="The same from a shell: curl and command line">
        <span aria-hidden="true">$_</span>
        <span class="hidden">the same from a shell</span>
      </button>
      {open && (
        <span class="twin-box">
          <Copy label="copy curl" text={calls.map(curl).join("\n")} />
          {command && <Copy label="copy command" text={command} />}
        </span>
      )}
    </span>
  );
}
