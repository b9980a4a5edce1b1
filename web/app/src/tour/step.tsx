import type { ComponentChildren } from "preact";
import type { Call } from "../api/call.ts";
import { Twins } from "../parts/act.tsx";
import { Failed } from "../parts/trouble.tsx";
import { doing, perform } from "./acts.ts";
import { Exchanges } from "./exchanges.tsx";
import { stages, type Stage } from "./stage.ts";

/** Step is one step of the tour: what is coming is a title, what was done keeps its requests and answers. */
export function Step(props: { name: Stage; at: Stage; title: string; children: ComponentChildren; past?: ComponentChildren }) {
  const { name, at, title } = props;
  const here = stages.indexOf(name);
  const now = stages.indexOf(at);
  const number = `${here + 1}. `;
  if (here > now) {
    return (
      <li class="tour-step coming">
        <span class="muted">
          {number}
          {title}
        </span>
      </li>
    );
  }
  if (here < now) {
    return (
      <li class="tour-step">
        <h2>
          {number}
          {title} <span class="muted">· done</span>
        </h2>
        {props.past}
        <Exchanges stage={name} folded={here < now - 1} />
      </li>
    );
  }
  return (
    <li class="tour-step now" aria-current="step" tabIndex={-1}>
      <h2>
        {number}
        {title}
      </h2>
      {props.children}
      <Exchanges stage={name} folded={false} />
      {doing.value?.stage === name && doing.value.error !== null && <Failed error={doing.value.error} />}
    </li>
  );
}

/** Do is the button of a step, with the same from a shell. */
export function Do(props: { stage: Stage; label: string; busy: string; calls: Call[]; command: string; work: () => Promise<void>; quiet?: boolean; disabled?: string }) {
  const busy = doing.value !== null && doing.value.error === null;
  const mine = busy && doing.value?.what === props.busy;
  return (
    <p class="act">
      <button type="button" class={props.quiet ? undefined : "primary"} disabled={busy || !!props.disabled} aria-busy={mine} onClick={() => void perform(props.stage, props.busy, props.work)}>
        {props.label}
      </button>
      <Twins calls={props.calls} command={props.command} />
      <span role="status" class="muted">
        {mine ? `${props.busy} …` : props.disabled}
      </span>
    </p>
  );
}
