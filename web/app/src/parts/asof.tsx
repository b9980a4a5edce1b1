import type { ComponentChildren } from "preact";
import { Ago } from "./time.tsx";

/** AsOf says when a list was read, since it does not change by itself, and reads it again. */
export function AsOf({ at, again, renewing, children }: { at: number; again: () => void; renewing?: boolean; children?: ComponentChildren }) {
  return (
    <p class="as-of muted">
      {children && <span role="status">{children}</span>}
      {children && ", "}read <Ago at={at} />{" "}
      <button type="button" class="link" onClick={again} aria-busy={renewing}>
        read again
      </button>
    </p>
  );
}
