import { signal, type Signal } from "@preact/signals";

/** Drafts keep what somebody has begun to write for as long as the tab is open: whoever looks at another screen finds it again. */
export class Drafts<T> {
  private readonly kept: Signal<ReadonlyMap<string, T>> = signal(new Map());

  /** bodyOf is what is sent of a draft: two with the same body are the same write. */
  constructor(private readonly bodyOf: (draft: T) => string) {
    // A tab that is closed would lose them: the browser asks first.
    addEventListener("beforeunload", (e) => {
      if (this.kept.value.size > 0) e.preventDefault();
    });
  }

  /** of returns the draft of a thing. */
  of(key: string): T | undefined {
    return this.kept.value.get(key);
  }

  /** keep keeps a draft, or drops it when it is null. */
  keep(key: string, draft: T | null): void {
    const next = new Map(this.kept.value);
    if (draft === null) next.delete(key);
    else next.set(key, draft);
    this.kept.value = next;
  }

  /**
   * stored drops a draft that was sent and is stored now. What somebody has typed on while it was on its way stays, as
   * a change of what is stored: onto says what they see it begin with, and `at` under which key it goes on.
   */
  stored(key: string, sent: T, onto: (typed: T) => T, at = key): void {
    const typed = this.of(key);
    this.keep(key, null);
    if (typed !== undefined && this.bodyOf(typed) !== this.bodyOf(sent)) this.keep(at, onto(typed));
  }
}

/** guard are the headers of a write that must not cover another one unseen: the ETag of what the writer saw, or that there was nothing. */
export function guard(etag: string, context = ""): Record<string, string> {
  if (!etag) return { "If-None-Match": "*" };
  return { "If-Match": etag, ...(context ? { "Causal-Context": context } : {}) };
}

/** guardWords are the same for the command line. */
export function guardWords(etag: string, context = ""): string[] {
  if (!etag) return ["--if-none-match"];
  return ["--if-match", etag, ...(context ? ["--context", context] : [])];
}
